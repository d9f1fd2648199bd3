package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// dictTarget returns the absolute name of a file that a dictionary may be written to. It looks before the work is done
// what writeDict would stumble over after it.
func dictTarget(name string, force bool) (string, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(path, "\"\n") {
		return "", usagef("-o: algorithm_params cannot take a name with a double quote or a line break: %q", path)
	}
	dir, err := os.Stat(filepath.Dir(path))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), err == nil && !dir.IsDir():
		return "", usagef("-o: there is no directory %s; make it first", filepath.Dir(name))
	case err != nil:
		return "", fmt.Errorf("-o: %w", err)
	}
	if err := unix.Access(filepath.Dir(path), unix.W_OK); err != nil {
		return "", withCode(exitMissing, fmt.Errorf("-o: you may not write to the directory %s", filepath.Dir(name)))
	}
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return path, nil
	case err != nil:
		return "", fmt.Errorf("-o: %w", err)
	case !old.Mode().IsRegular():
		return "", usagef("-o: %s exists and is not an ordinary file", name)
	case !force:
		return "", exists(name)
	}
	return path, nil
}

func exists(name string) error {
	return usagef("-o: %s exists; --force replaces it", name)
}

// writeDict writes the file as a whole or not at all. It is for its owner alone, for it holds parts of pages.
func writeDict(path string, dict []byte, force bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".uzram-dict-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(dict)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if force {
		return os.Rename(f.Name(), path)
	}
	err = unix.Renameat2(unix.AT_FDCWD, f.Name(), unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	switch err {
	case unix.EEXIST:
		return exists(path)
	case unix.EINVAL, unix.ENOSYS: // a file system that cannot do it in one step
		if _, lerr := os.Lstat(path); lerr == nil {
			return exists(path)
		}
		return os.Rename(f.Name(), path)
	}
	return err
}
