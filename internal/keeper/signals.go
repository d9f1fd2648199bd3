package keeper

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that a keeper hands on to its worker.
var forwarded = []syscall.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGHUP}

// signals turns the process's signals into a descriptor that the loop can wait for.
type signals struct {
	fd      int // eventfd
	pending atomic.Uint64
	channel chan os.Signal
}

func (s *signals) open() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return err
	}
	s.fd = fd
	s.channel = make(chan os.Signal, 64)
	signal.Notify(s.channel, unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGCHLD, unix.SIGPIPE)
	go func() {
		one := []byte{1, 0, 0, 0, 0, 0, 0, 0}
		for sig := range s.channel {
			s.pending.Or(1 << sig.(syscall.Signal))
			_, _ = unix.Write(fd, one)
		}
	}()
	return nil
}

// take returns the signals since the last call, one bit each.
func (s *signals) take(buf []byte) uint64 {
	_, _ = unix.Read(s.fd, buf[:8])
	return s.pending.Swap(0)
}

// forward sends the signals of a set on to a process.
func forward(set uint64, pid int) {
	for _, sig := range forwarded {
		if set&(1<<sig) != 0 {
			_ = unix.Kill(pid, sig)
		}
	}
}
