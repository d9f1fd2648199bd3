package ctldir

import (
	"bytes"
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

// EachLine hands the lines of an attribute to yield, without their newlines, until that returns an error. The text is not
// kept, so that it may have millions of lines. The error is an *Error or yield's own.
func (d Dir) EachLine(attr string, yield func(line string) error) error {
	fd, err := open(filepath.Join(d.path, attr), unix.O_RDONLY)
	if err != nil {
		return d.fail("read", attr, "", err)
	}
	defer unix.Close(fd)
	buf := make([]byte, 0, 128<<10)
	for {
		if len(buf) == cap(buf) {
			return d.fail("read", attr, "", unix.E2BIG)
		}
		n, err := retry(func() (int, error) { return unix.Read(fd, buf[len(buf):cap(buf)]) })
		switch {
		case err != nil:
			return d.fail("read", attr, "", err)
		case n == 0 && len(buf) > 0:
			return yield(string(buf))
		case n == 0:
			return nil
		}
		buf = buf[:len(buf)+n]
		rest := buf
		for {
			line, after, whole := bytes.Cut(rest, []byte{'\n'})
			if !whole {
				break
			}
			if err := yield(string(line)); err != nil {
				return err
			}
			rest = after
		}
		buf = buf[:copy(buf, rest)]
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
