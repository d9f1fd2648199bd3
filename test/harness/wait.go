package harness

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// WaitGone returns whether the process has ended within the limit.
func WaitGone(pid int, limit time.Duration) bool { return waitGone(pid, limit) }

func waitGone(pid int, limit time.Duration) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return err == unix.ESRCH || err == unix.EINVAL
	}
	defer unix.Close(fd)
	return waitReady(fd, unix.POLLIN, time.Now().Add(limit))
}

// waitReady waits until a descriptor has one of the events; false when the time is over.
func waitReady(fd int, events int16, deadline time.Time) bool {
	for {
		fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
		n, err := unix.Poll(fds, int(max(time.Until(deadline), 0)/time.Millisecond)+1)
		if n > 0 {
			return true
		}
		if err != unix.EINTR && time.Now().After(deadline) {
			return false
		}
	}
}

// waitMounts waits until cond holds, asking again whenever the mount table changes.
func waitMounts(limit time.Duration, cond func() bool) bool {
	fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	deadline := time.Now().Add(limit)
	for !cond() {
		if !waitReady(fd, unix.POLLPRI, deadline) {
			return cond()
		}
	}
	return true
}

// WaitChange waits until cond holds, asking again whenever the file is written to.
func WaitChange(path string, limit time.Duration, cond func() bool) bool {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		return false
	}
	deadline := time.Now().Add(limit)
	for events := make([]byte, 4096); !cond(); unix.Read(fd, events) {
		if !waitReady(fd, unix.POLLIN, deadline) {
			return cond()
		}
	}
	return true
}

// Alone keeps other runs on this machine that ask for the same from going on until the test ends: with two swap devices of
// equal priority, for example, the kernel uses both in turn.
func Alone(t testing.TB, what string) {
	t.Helper()
	path := filepath.Join(os.TempDir(), "uzram-e2e-"+what+".lock")
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil {
		return
	}
	t.Logf("waiting for another run's test of %s to end", what)
	if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
