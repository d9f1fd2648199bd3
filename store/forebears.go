package store

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/lockdep"
)

// A process that was killed may not be gone: a thread of it that waits in the
// kernel for a slow backing device finishes its write some day, while a successor
// serves. What it writes to are blocks that no word names, and that would be given
// to other pages. So whoever writes back has a descriptor of itself held, a pidfd,
// before it takes its first block; and its successors take none until all these
// processes have ended, threads and all. That no thread is left is what a pidfd
// tells by becoming readable, whoever waits for the process.

// ErrForebear is what a writeback gets that has waited long enough.
var ErrForebear = fmt.Errorf("a process that served the disk before was killed and has not ended, it may be writing to the backing device: %w", syscall.EAGAIN)

// How long a writeback waits for processes before this one, and how often it looks.
const (
	forebearPatience = 30 * time.Second
	forebearPause    = 5 * time.Millisecond
)

// forebears are the processes before this one that may not have ended.
type forebears struct {
	patience time.Duration

	mu     lockdep.Mutex[lockdep.LeafRank]
	pidfds map[string]int // by name in the vault
}

// processPrefix begins the names of processes in a vault. The rest is the number
// of one, which no other process has until that one has ended.
const processPrefix = "process."

func processName() string { return fmt.Sprintf("%s%d", processPrefix, os.Getpid()) }

// adopt takes the pidfds that were found. One under this process's own number is
// its own, or that of one that has ended.
func (f *forebears) adopt(pidfds map[string]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	own := processName()
	if fd, ok := pidfds[own]; ok {
		unix.Close(fd)
		delete(pidfds, own)
	}
	f.pidfds = pidfds
}

// look closes the pidfds of processes that have ended, and returns their names.
// gone: no others are left.
func (f *forebears) look() (ended []string, gone bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, fd := range f.pidfds {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, 0); err == nil && poll[0].Revents != 0 {
			unix.Close(fd)
			delete(f.pidfds, name)
			ended = append(ended, name)
		}
	}
	return ended, len(f.pidfds) == 0
}

// forget closes all pidfds and returns their names.
func (f *forebears) forget() (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, fd := range f.pidfds {
		unix.Close(fd)
		names = append(names, name)
	}
	f.pidfds = nil
	return names
}

// forebearsGone reports whether no process before this one can write any more.
func (d *Device) forebearsGone() bool {
	ended, gone := d.forebears.look()
	for _, name := range ended {
		d.keeping.drop(name)
	}
	return gone
}

// mayWriteBack returns once this process may take blocks. ErrForebear; ErrResetting
// once stop is closed; or what the vault says.
func (d *Device) mayWriteBack(stop <-chan struct{}) error {
	for start := time.Now(); !d.forebearsGone(); {
		if time.Since(start) > d.forebears.patience {
			return ErrForebear
		}
		select {
		case <-stop:
			return ErrResetting
		case <-time.After(forebearPause):
		}
	}
	return d.announce()
}

// announce has a successor know of this process. A kernel that has no pidfds has
// no keeper either.
func (d *Device) announce() error {
	if d.keeping.vault == nil || d.announced.Load() {
		return nil
	}
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("pidfd_open: %w", err)
	}
	defer unix.Close(fd)
	if err := d.keeping.hold(processName(), fd); err != nil {
		return err
	}
	d.announced.Store(true)
	return nil
}

// retireProcesses has nobody wait for this process or those before it.
func (d *Device) retireProcesses() {
	for _, name := range d.forebears.forget() {
		d.keeping.drop(name)
	}
	if d.announced.Swap(false) {
		d.keeping.drop(processName())
	}
}
