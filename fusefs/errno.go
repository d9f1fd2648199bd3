package fusefs

import (
	"errors"
	"syscall"
)

// errnoOf is the one place where an error becomes what a client sees: the errno
// that it wraps, EIO if it wraps none.
func errnoOf(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) || errno == 0 {
		return syscall.EIO
	}
	return errno
}
