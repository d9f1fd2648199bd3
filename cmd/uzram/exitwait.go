package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// exitWait watches a process that is about to end.
type exitWait struct {
	pid int
	fd  int // of the process, -1 if it cannot be watched or is gone
}

// watchExit begins to watch pid; as long as it is watched no other process can be mistaken for it.
func watchExit(pid int) exitWait {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		fd = -1
	}
	return exitWait{pid, fd}
}

// wait returns when the process has ended.
func (w exitWait) wait(timeout time.Duration) error {
	if w.fd < 0 {
		return nil
	}
	end := time.Now().Add(timeout)
	for {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(w.fd), Events: unix.POLLIN}}, int(max(0, time.Until(end)).Milliseconds()))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("wait for process %d: %w", w.pid, err)
		case n == 0:
			return fmt.Errorf("unmounted, but the daemon (process %d) still runs after %v", w.pid, timeout)
		default:
			return nil
		}
	}
}

func (w exitWait) close() {
	if w.fd >= 0 {
		unix.Close(w.fd)
	}
}
