package sysview

import (
	"errors"
	"io"
	"os"
	"sort"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// below is an open directory: what is mounted over it later does not hide it.
type below struct{ f *os.File }

// open returns the directory at path; one that is not there has no names.
func open(path string) (below, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return below{}, nil
	}
	return below{f}, err
}

func (d below) close() {
	if d.f != nil {
		d.f.Close()
	}
}

// fd is the descriptor, for calls relative to it.
func (d below) fd() int {
	if d.f == nil {
		return -1
	}
	return int(d.f.Fd())
}

// path is a name by which another call finds the directory.
func (d below) path() string {
	if d.f == nil {
		return "/proc/self/fd/none"
	}
	return "/proc/self/fd/" + strconv.Itoa(d.fd())
}

// names returns what is in the directory, sorted.
func (d below) names() ([]string, error) {
	if d.f == nil {
		return nil, nil
	}
	if _, err := d.f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	names, err := d.f.Readdirnames(-1)
	sort.Strings(names)
	return names, err
}

// link returns what a symbolic link says.
func (d below) link(name string) (string, error) {
	if d.f == nil {
		return "", syscall.ENOENT
	}
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(d.fd(), name, buf)
	if err != nil {
		return "", &os.PathError{Op: "readlink", Path: d.f.Name() + "/" + name, Err: err}
	}
	return string(buf[:n]), nil
}

// stat describes an entry, a link itself.
func (d below) stat(name string) (unix.Stat_t, error) {
	var st unix.Stat_t
	if d.f == nil {
		return st, syscall.ENOENT
	}
	err := unix.Fstatat(d.fd(), name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return st, err
}
