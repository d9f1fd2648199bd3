package fusefs

import (
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/internal/failpoint"
)

// conn is a connection to the kernel: each read gives one request, each write
// is one answer or notification. It may be used by many goroutines at once.
type conn interface {
	read(p []byte) (int, error)
	write(p []byte) error
}

// fuseConn is a descriptor of /dev/fuse. It is a number and not an *os.File,
// whose poller would keep the thread from waiting in the kernel, and whose
// finaliser would end the mount.
type fuseConn int

func (c fuseConn) read(p []byte) (int, error) {
	failpoint.Hit(failpoint.Worker)
	if err := failpoint.Error(failpoint.ConnRead); err != nil {
		return 0, err
	}
	n, err := unix.Read(int(c), p)
	if err == nil {
		failpoint.Hit(failpoint.RequestTaken)
	}
	return failpoint.Cut(failpoint.ConnRead, n), err
}

func (c fuseConn) write(p []byte) error {
	failpoint.Hit(failpoint.RequestServed)
	if err := failpoint.Error(failpoint.ConnWrite); err != nil {
		return err
	}
	p = p[:failpoint.Cut(failpoint.ConnWrite, len(p))]
	for {
		_, err := unix.Write(int(c), p)
		if err != syscall.EINTR {
			failpoint.Hit(failpoint.RequestAnswered)
			return err
		}
	}
}

// outcome says what an error of a read means for the loop.
type outcome int

const (
	again   outcome = iota // nothing was read, go on
	closed                 // unmounted
	aborted                // the connection broke
)

func readOutcome(err error) outcome {
	switch err {
	case syscall.EINTR, syscall.EAGAIN,
		syscall.ENOENT: // the client gave its request up while it was being read
		return again
	case syscall.ENODEV:
		return closed
	}
	return aborted
}
