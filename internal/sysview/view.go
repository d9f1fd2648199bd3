package sysview

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Options say what a view shows.
type Options struct {
	Root       string // of the tree that is covered, "" for /; sys and dev are in it
	Dir        string // the multi mount
	KeepKernel bool   // show the kernel's own zram devices as well, where no device of the mount has that name
	CopyDev    bool   // cover /dev; otherwise nodes are made in it as it is
	HideLoops  bool   // leave out the loop devices behind the mount's; not where the mount's own process looks for them
	Exe        string // this program, for modprobe

	system bool // for the caller's whole mount namespace
}

// View is a view that stands. Its methods may be called by any goroutine.
type View struct {
	o      Options
	origin origin
	covers []covered // what is covered, in this order
	socket string    // where it is told of devices, "" before that
	made   []string  // files that it has written outside

	mu      sync.Mutex
	kernel  map[string]kernelDevice // what the kernel has, shown or not
	devices map[string]Device       // what the mount has
	loops   map[string]string       // the loop devices behind them: name of the device by name of the loop
}

// KernelHasZram says whether there is zram in the tree at root already.
func KernelHasZram(root string) bool {
	if _, err := os.Lstat(filepath.Join(root, "/sys", zramControl)); err == nil {
		return true
	}
	names, _ := filepath.Glob(filepath.Join(root, "/sys", sysBlock, "zram*"))
	return len(names) > 0
}

// Build makes the view in this process's mount namespace. It follows nothing; see Start.
func Build(o Options) (*View, error) { return build(o, "") }

// build is Build for a view that is told of devices at that socket.
func build(o Options, socket string) (*View, error) {
	v := &View{o: o, socket: socket, devices: map[string]Device{}, loops: map[string]string{}}
	var err error
	if v.origin, err = openOrigin(o.Root); err != nil {
		return nil, err
	}
	if v.kernel, err = v.origin.devices(); err == nil {
		err = v.buildAll()
	}
	if err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

func (v *View) buildAll() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	present, err := v.present()
	if err != nil {
		return err
	}
	for _, d := range present {
		v.take(d)
	}
	steps := []func() error{
		v.coverClass, v.coverVirtual,
		func() error { return v.coverLinks(sysBlock, "../", v.wholeLinks) },
		func() error { return v.coverLinks(classBlock, "../../", v.allLinks) },
		func() error { return v.coverLinks(devBlock, "../../", v.numberLinks) },
		v.coverDev, v.coverRecords, v.coverModprobe,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	for _, d := range present {
		if err := v.show(d); err != nil && !v.gone(d) {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	var errs []error
	for _, d := range present { // those that began to go before there was a view to be told
		if v.gone(d) {
			errs = append(errs, v.unmake(d.Name))
		}
	}
	return errors.Join(errs...)
}

// gone says whether the mount has a device no more.
func (v *View) gone(d Device) bool {
	_, err := os.Lstat(filepath.Join(v.o.Dir, sysBlock, d.Name))
	return errors.Is(err, os.ErrNotExist)
}

// path is where something of the tree is.
func (v *View) path(names ...string) string {
	return filepath.Join(append([]string{"/", v.o.Root}, names...)...)
}

// sys is path in /sys.
func (v *View) sys(names ...string) string { return v.path(append([]string{"sys"}, names...)...) }

// cover covers a directory of the tree.
func (v *View) cover(target string, mode os.FileMode, fill func(stage string) error) error {
	if err := cover(target, mode, fill); err != nil {
		return err
	}
	return v.noteCover(target)
}

// shown says whether the view has a device of the kernel's.
func (v *View) shown(name string) bool {
	if _, taken := v.devices[name]; taken {
		return false
	}
	if v.isLoop(name) && v.o.HideLoops {
		return false
	}
	whole, _, _ := strings.Cut(name, "p")
	return v.o.KeepKernel || !zramName.MatchString(whole)
}

// coverClass puts the mount's zram-control in the place of the kernel's. Where the kernel has none, the directory for it can
// only be made in a copy of /sys/class.
func (v *View) coverClass() error {
	mine, target := filepath.Join(v.o.Dir, zramControl), v.sys(zramControl)
	if _, err := os.Lstat(target); err == nil {
		if err := bindTree(unix.AT_FDCWD, mine, target); err != nil {
			return err
		}
		return v.noteCover(target)
	}
	class := v.sys("class")
	return v.cover(class, 0o755, func(stage string) error {
		entries, err := os.ReadDir(class)
		if err != nil {
			return err
		}
		for _, e := range entries {
			from, to := filepath.Join(class, e.Name()), filepath.Join(stage, e.Name())
			if e.IsDir() {
				err = bindDir(unix.AT_FDCWD, from, to)
			} else {
				err = copyLink(from, to)
			}
			if err != nil {
				return err
			}
		}
		return bindDir(unix.AT_FDCWD, mine, filepath.Join(stage, filepath.Base(zramControl)))
	})
}

// coverVirtual makes room for the devices' directories beside those of the kernel.
func (v *View) coverVirtual() error {
	return v.cover(v.sys(virtualBlock), 0o755, func(stage string) error {
		names, err := v.origin.virtual.names()
		if err != nil {
			return err
		}
		for _, name := range names {
			if !v.shown(name) && !v.isLoop(name) {
				continue
			}
			err := bindDir(v.origin.virtual.fd(), name, filepath.Join(stage, name))
			if err != nil && !errors.Is(err, unix.ENOENT) { // gone meanwhile
				return err
			}
		}
		return nil
	})
}

// isLoop says whether a device of the mount is on the loop device of that name. Its directory stays, only its links go.
func (v *View) isLoop(name string) bool { return v.loops[name] != "" }

// coverLinks covers a directory of links with those that links gives, by name.
func (v *View) coverLinks(dir, up string, links func() map[string]string) error {
	return v.cover(v.sys(dir), 0o755, func(stage string) error {
		for name, to := range links() {
			if err := os.Symlink(up+to, filepath.Join(stage, name)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *View) wholeLinks() map[string]string {
	return v.links(func(name string, d kernelDevice) string {
		if !d.whole {
			return ""
		}
		return name
	})
}

func (v *View) allLinks() map[string]string {
	return v.links(func(name string, _ kernelDevice) string { return name })
}

func (v *View) numberLinks() map[string]string {
	return v.links(func(_ string, d kernelDevice) string { return d.number })
}

// links names the devices of the kernel's that the view has.
func (v *View) links(call func(name string, d kernelDevice) string) map[string]string {
	all := map[string]string{}
	for name, d := range v.kernel {
		if as := call(name, d); as != "" && v.shown(name) {
			all[as] = d.path
		}
	}
	return all
}

// copyLink makes a link as it is elsewhere; other kinds of files are left out.
func copyLink(from, to string) error {
	text, err := os.Readlink(from)
	if err != nil {
		return nil
	}
	return os.Symlink(text, to)
}

// Close takes the view down. What is still in use in it goes when its last user does.
func (v *View) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.origin.close()
	var errs []error
	for name := range v.devices {
		errs = append(errs, v.unmake(name))
	}
	for _, c := range slices.Backward(v.covers) {
		errs = append(errs, c.uncover())
	}
	for _, path := range v.made {
		os.Remove(path)
	}
	removeDirs(v.socket)
	v.covers, v.made, v.devices = nil, nil, nil
	return errors.Join(errs...)
}
