package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// fusermount mounts and unmounts for ordinary users.
const fusermount = "fusermount3"

// manner of an unmount.
type manner bool

const (
	cleanly manner = false // fails with EBUSY while something uses the mount
	lazily  manner = true  // takes the mount out of the tree now; it ends with its last user
)

// unmount unmounts dir, as an ordinary user with the help of fusermount3. It wraps EBUSY if the mount is in use.
func unmount(dir string, how manner) error {
	flags := unix.UMOUNT_NOFOLLOW
	if how == lazily {
		flags |= unix.MNT_DETACH
	}
	err := unix.Unmount(dir, flags)
	if err != unix.EPERM {
		return err
	}
	args := []string{"-u", "--", dir}
	if how == lazily {
		args = append([]string{"-z"}, args...)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(fusermount, args...)
	cmd.Stderr = &stderr
	err = cmd.Run()
	text := strings.TrimSpace(stderr.String())
	switch {
	case err == nil:
		return nil
	case strings.Contains(text, "busy"):
		return unix.EBUSY
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("an ordinary user needs %s to unmount: %w", fusermount, err)
	}
	return fmt.Errorf("%s: %s", fusermount, strings.TrimPrefix(text, fusermount+": "))
}

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
