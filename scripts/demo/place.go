package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"uzram/internal/mountinfo"
)

// place is the demo's directory. It is absolute and free of symbolic links, as
// the mount table has it.
type place string

func (p place) device() string { return filepath.Join(string(p), "device") }
func (p place) disk() string   { return filepath.Join(string(p), "disk") }
func (p place) marker() string { return filepath.Join(string(p), ".made") }

func resolve(dir string) (place, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	return place(filepath.Join(parent, filepath.Base(abs))), err
}

// makePlace makes dir, if it is missing, and the device's mount point in it.
func makePlace(dir string, undo *undoList) (place, error) {
	p, err := resolve(dir)
	if err != nil {
		return "", err
	}
	if _, err := mountinfo.Find(p.device()); err == nil {
		return "", fmt.Errorf("a demo is up on %s already: `make stop` takes it down", p)
	}
	err = os.Mkdir(string(p), 0o755)
	switch {
	case err == nil:
		undo.add(p.remove)
		if err := os.WriteFile(p.marker(), nil, 0o644); err != nil {
			return "", err
		}
	case errors.Is(err, fs.ErrExist):
		if err := p.ours(); err != nil {
			return "", err
		}
		undo.add(p.remove)
	default:
		return "", err
	}
	return p, ensureDir(p.device())
}

func ensureDir(name string) error {
	if err := os.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// ours refuses a directory that somebody else could swap under our mounts.
func (p place) ours() error {
	info, err := os.Lstat(string(p))
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || ok && int(st.Uid) != os.Getuid() {
		return fmt.Errorf("%s is not a directory of yours: give another DIR=", p)
	}
	return nil
}

// remove removes the directories of the demo; what is not there is no error.
func (p place) remove() error {
	names := []string{p.device(), p.disk()}
	if _, err := os.Stat(p.marker()); err == nil {
		names = append(names, p.marker(), string(p))
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// stop takes down whatever is there of a demo. Nothing there is no error.
func stop(c config) error {
	p, err := resolve(c.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := unmountDisk(p); err != nil {
		return err
	}
	if err := unmountDevice(c, p); err != nil {
		return err
	}
	return p.remove()
}

// unmountDisk unmounts the file system, if it is mounted.
func unmountDisk(p place) error {
	mounts, err := mountinfo.All()
	if err != nil {
		return err
	}
	for _, m := range mounts {
		if m.Point == p.disk() {
			if err := syscall.Unmount(p.disk(), 0); err != nil {
				return fmt.Errorf("unmount %s: %w (is a shell or program still in it?)", p.disk(), err)
			}
		}
	}
	return nil
}

// unmountDevice has uzram unmount the device, if it is mounted; its loop device
// goes with it.
func unmountDevice(c config, p place) error {
	_, err := mountinfo.Find(p.device())
	if errors.Is(err, mountinfo.ErrNotMounted) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = command(c.uzram, "umount", p.device())
	return err
}
