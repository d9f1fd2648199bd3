package ctldir

import (
	"fmt"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxWrite is the longest command that an attribute takes; the rest of a longer one would become a second command.
const maxWrite = 4096

// Dir is a control directory. It holds nothing open and may be used by any number of goroutines.
type Dir struct{ path string }

// Open returns the control directory at path. It is not looked at before the first Read or Write.
func Open(path string) Dir { return Dir{path} }

// Path returns the directory's name.
func (d Dir) Path() string { return d.path }

// Read returns the whole text of an attribute, named by its path below the directory. The error is an *Error.
func (d Dir) Read(attr string) (string, error) {
	fd, err := open(filepath.Join(d.path, attr), unix.O_RDONLY)
	if err != nil {
		return "", d.fail("read", attr, "", err)
	}
	defer unix.Close(fd)
	var text []byte
	buf := make([]byte, 64<<10)
	for {
		n, err := retry(func() (int, error) { return unix.Read(fd, buf) })
		if err != nil {
			return "", d.fail("read", attr, "", err)
		}
		if n == 0 {
			return string(text), nil
		}
		text = append(text, buf[:n]...)
	}
}

// Write writes value to an attribute as one command of at most 4096 bytes. The error is an *Error.
func (d Dir) Write(attr, value string) error {
	if len(value) > maxWrite {
		return d.fail("write", attr, value, unix.E2BIG)
	}
	fd, err := open(filepath.Join(d.path, attr), unix.O_WRONLY)
	if err != nil {
		return d.fail("write", attr, value, err)
	}
	defer unix.Close(fd)
	n, err := retry(func() (int, error) { return unix.Write(fd, []byte(value)) })
	if err == nil && n < len(value) {
		err = unix.EIO
	}
	if err != nil {
		return d.fail("write", attr, value, err)
	}
	return nil
}

func open(path string, flags int) (int, error) {
	return retry(func() (int, error) { return unix.Open(path, flags|unix.O_CLOEXEC, 0) })
}

// retry repeats a call that a signal interrupted before it had an effect.
func retry(call func() (int, error)) (int, error) {
	for {
		if n, err := call(); err != unix.EINTR {
			return n, err
		}
	}
}

// fail makes the error of a call that failed.
func (d Dir) fail(op, attr, value string, err error) error {
	errno, ok := err.(syscall.Errno)
	if !ok {
		return fmt.Errorf("%s %s: %w", op, filepath.Join(d.path, attr), err)
	}
	return &Error{Dir: d.path, Op: op, Attr: attr, Value: value, Errno: errno}
}
