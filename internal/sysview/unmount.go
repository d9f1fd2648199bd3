package sysview

import (
	"errors"
	"fmt"
	"os"

	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// unmountOurs unmounts what is on path if that is ours; whoever gave only the name would take a mount that another one made
// there, or the machine's own /dev. found says whether anything of ours was on top.
func unmountOurs(path string, ours func(mountinfo.Mount) bool) (found bool, err error) {
	m, err := mountinfo.At(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && (m.Point != path || !ours(m)) {
		return false, nil
	}
	if err == nil {
		err = unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	// A mount point that is removed elsewhere takes along what is mounted there.
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return true, fmt.Errorf("unmount %s: %w", path, err)
	}
	return true, nil
}

// covered is a mount of a view.
type covered struct {
	path string
	id   int // in mountinfo
}

// uncover unmounts it. What others have mounted over it stays, and so it does.
func (c covered) uncover() error {
	found, err := unmountOurs(c.path, func(m mountinfo.Mount) bool { return m.ID == c.id })
	if err != nil || found {
		return err
	}
	all, err := mountinfo.All()
	if err != nil {
		return err
	}
	for _, m := range all {
		if m.ID == c.id && m.Point == c.path {
			return &mountinfo.BusyError{Dir: c.path, Holders: []string{"another file system is mounted over that of the view"}}
		}
	}
	return nil
}

// noteCover notes what was just mounted on path.
func (v *View) noteCover(path string) error {
	m, err := mountinfo.At(path)
	if err != nil {
		return err
	}
	v.covers = append(v.covers, covered{m.Point, m.ID})
	return nil
}
