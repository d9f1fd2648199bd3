package sysview

import (
	"errors"
	"os"
	"path/filepath"

	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// coverDev covers /dev with a copy.
func (v *View) coverDev() error {
	if !v.o.CopyDev {
		return nil
	}
	dev := v.path("dev")
	mounted, err := mountsBelow(dev)
	if err != nil {
		return err
	}
	return v.cover(dev, 0o755, func(stage string) error {
		return v.copyTree(stage, "", mounted)
	})
}

// mountsBelow lists what is mounted directly or indirectly below dir.
func mountsBelow(dir string) (map[string]bool, error) {
	all, err := mountinfo.All()
	if err != nil {
		return nil, err
	}
	points := map[string]bool{}
	for _, m := range all {
		if rel, err := filepath.Rel(dir, m.Point); err == nil && rel != "." && filepath.IsLocal(rel) {
			points[rel] = true
		}
	}
	return points, nil
}

// copyTree copies the directory rel of /dev. What is mounted there is bound, and so is what a copy would not be the same as.
func (v *View) copyTree(stage, rel string, mounted map[string]bool) error {
	entries, err := os.ReadDir(filepath.Join(v.origin.dev.path(), rel))
	if err != nil {
		return ignoreGone(err)
	}
	for _, e := range entries {
		name := filepath.Join(rel, e.Name())
		if rel == "" && !v.shownNode(e.Name()) {
			continue
		}
		switch {
		case mounted[name]:
			err = v.bindEntry(stage, name, e.IsDir())
		case e.IsDir():
			if err = v.copyEntry(stage, name); err == nil {
				err = v.copyTree(stage, name, mounted)
			}
		case e.Type()&(os.ModeSocket|os.ModeNamedPipe) != 0, e.Type().IsRegular():
			err = v.bindEntry(stage, name, false)
		default:
			err = v.copyEntry(stage, name)
		}
		if err = ignoreGone(err); err != nil {
			return err
		}
	}
	return nil
}

// shownNode says whether the view has the node of that name: those of the mount's devices are made later.
func (v *View) shownNode(name string) bool {
	_, isDevice := v.kernel[name]
	return v.shown(name) || !isDevice && !zramName.MatchString(name)
}

// bindEntry mounts an entry of /dev below stage.
func (v *View) bindEntry(stage, name string, dir bool) error {
	target := filepath.Join(stage, name)
	if dir {
		if err := os.Mkdir(target, 0o755); err != nil {
			return err
		}
	} else if err := os.WriteFile(target, nil, 0o600); err != nil {
		return err
	}
	return bindTree(v.origin.dev.fd(), name, target)
}

// copyEntry makes a node, link or directory as it is in /dev.
func (v *View) copyEntry(stage, name string) error {
	st, err := v.origin.dev.stat(name)
	if err != nil {
		return err
	}
	target := filepath.Join(stage, name)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		err = os.Mkdir(target, 0o700)
	case unix.S_IFLNK:
		var text string
		if text, err = v.origin.dev.link(name); err == nil {
			err = os.Symlink(text, target)
		}
	case unix.S_IFBLK, unix.S_IFCHR:
		err = unix.Mknod(target, st.Mode, int(st.Rdev))
	default:
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "copy", Path: target, Err: err}
	}
	if err := os.Lchown(target, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFLNK {
		return nil
	}
	return unix.Chmod(target, st.Mode&0o7777)
}

// copyNode puts a node of the kernel's into the copy of /dev.
func (v *View) copyNode(name string) error {
	if !v.o.CopyDev {
		return nil
	}
	target := v.path("dev", name)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	os.Remove(target)
	return ignoreGone(v.copyEntry(v.path("dev"), name))
}

// removeCopy takes a node out of the copy of /dev.
func (v *View) removeCopy(name string) {
	if v.o.CopyDev {
		os.Remove(v.path("dev", name))
	}
}

// makeNode makes the block node of a device, with the rights of its loop device's.
func (v *View) makeNode(d Device) error {
	mode, uid, gid := uint32(0o600), 0, 0
	if st, err := v.origin.dev.stat(v.loopOf(d)); err == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK {
		mode, uid, gid = st.Mode&0o777, int(st.Uid), int(st.Gid)
	}
	node := v.path("dev", d.Name)
	if err := os.Remove(node); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := unix.Mknod(node, unix.S_IFBLK|0o600, int(unix.Mkdev(d.Major, d.Minor))); err != nil {
		return &os.PathError{Op: "mknod", Path: node, Err: err}
	}
	if err := os.Lchown(node, uid, gid); err != nil {
		return err
	}
	return unix.Chmod(node, mode)
}

// removeNode removes a device's node, if it is that.
func (v *View) removeNode(d Device) {
	node := v.path("dev", d.Name)
	var st unix.Stat_t
	if unix.Lstat(node, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK && uint64(st.Rdev) == unix.Mkdev(d.Major, d.Minor) {
		os.Remove(node)
	}
}
