package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"uzram/internal/fusermount"
	"uzram/internal/mountinfo"

	"github.com/urfave/cli/v2"

	"golang.org/x/sys/unix"
)

// fuseDevice is what a FUSE file system talks to the kernel through.
const fuseDevice = "/dev/fuse"

// canonical makes dir absolute and free of symbolic links without asking the file system mounted on it: that may be a dead
// one, or the caller itself.
func canonical(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	abs = filepath.Join(parent, filepath.Base(abs))
	if _, err := os.Readlink(abs); err == nil { // readlink of a mounted root is answered without its file system
		return filepath.EvalSymlinks(abs)
	}
	return abs, nil
}

// mountedArg returns the canonical name of the one uzram mount that a verb is given.
func mountedArg(c *cli.Context) (string, error) {
	args, err := dirArgs(c, 1)
	if err != nil {
		return "", err
	}
	path, err := mounted(args[0])
	if err != nil {
		if device, derr := deviceArg(args[0]); derr == nil {
			return "", usagef("%s is one of many devices; give the directory that they are mounted on, or see uzram remove", device.Path())
		}
	}
	return path, err
}

// mounted returns the canonical name of a uzram mount. Its error has the code for "not a uzram mount" if it is none.
func mounted(dir string) (string, error) {
	path, err := canonical(dir)
	if err == nil {
		_, err = mountinfo.Find(path)
	}
	if err == nil {
		return path, nil
	}
	if errors.Is(err, mountinfo.ErrNotMounted) {
		if _, lerr := os.Lstat(path); lerr != nil {
			err = lerr
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		err = fmt.Errorf("%s is not a uzram mount: there is no such directory", dir)
	case errors.Is(err, mountinfo.ErrNotMounted):
		err = fmt.Errorf("%s is not a uzram mount", dir)
	default:
		return "", err
	}
	return "", withCode(exitNotMounted, err)
}

// mountable returns the canonical name of a directory that a uzram can be mounted on.
func mountable(dir string) (string, error) {
	path, err := canonical(dir)
	if err == nil {
		if _, ferr := mountinfo.Find(path); ferr == nil {
			return "", withCode(exitBusy, fmt.Errorf("a uzram is already mounted on %s; take it down with uzram umount %s", dir, dir))
		}
		var st os.FileInfo
		st, err = os.Stat(path)
		if err == nil && !st.IsDir() {
			return "", usagef("%s is not a directory", dir)
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR):
		return "", usagef("there is no directory %s; make it first", dir)
	case err != nil:
		return "", err
	}
	if err := unix.Access(fuseDevice, unix.F_OK); err != nil {
		return "", withCode(exitMissing, fmt.Errorf("%s is missing; load the kernel's fuse module", fuseDevice))
	}
	if os.Geteuid() != 0 {
		return path, mountableByUser(dir, path)
	}
	return path, nil
}

// mountableByUser checks what an ordinary user needs: the helper that mounts for him, which refuses a directory that he
// could not write to.
func mountableByUser(dir, path string) error {
	if _, err := exec.LookPath(fusermount.Name); err != nil {
		return withCode(exitMissing, fmt.Errorf("an ordinary user needs %s, which is part of the package fuse3", fusermount.Name))
	}
	if err := unix.Access(fuseDevice, unix.R_OK|unix.W_OK); err != nil {
		return withCode(exitMissing, fmt.Errorf("you may not read and write %s, which mounting as an ordinary user needs", fuseDevice))
	}
	if err := unix.Access(path, unix.W_OK); err != nil {
		return withCode(exitMissing, fmt.Errorf("an ordinary user must be able to write to %s in order to mount on it", dir))
	}
	return nil
}
