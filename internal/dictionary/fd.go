package dictionary

import (
	"fmt"
	"io"
	"io/fs"

	"golang.org/x/sys/unix"
)

// file is an open file that Go's poller knows nothing of: it would ask a daemon behind the file.
type file struct {
	fd   int
	name string
}

func openFile(name string) (*file, error) {
	fd, err := again(func() (int, error) { return unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{fd, name}, nil
}

// ReadAt fills p or returns an error.
func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := again(func() (int, error) { return unix.Pread(f.fd, p[n:], off+int64(n)) })
		if err != nil {
			return n, &fs.PathError{Op: "read", Path: f.name, Err: err}
		}
		if m == 0 {
			return n, fmt.Errorf("%s ends at byte %d: %w", f.name, off+int64(n), io.ErrUnexpectedEOF)
		}
		n += m
	}
	return n, nil
}

// Read reads on, as bufio wants it.
func (f *file) Read(p []byte) (int, error) {
	n, err := again(func() (int, error) { return unix.Read(f.fd, p) })
	switch {
	case err != nil:
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: err}
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

func (f *file) Close() error { return unix.Close(f.fd) }

// again repeats what a signal interrupted.
func again(call func() (int, error)) (n int, err error) {
	for {
		if n, err = call(); err != unix.EINTR {
			return n, err
		}
	}
}
