package keeper

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	notifyEnv = "NOTIFY_SOCKET"
	// firstListenFD is the first descriptor that systemd passes on.
	firstListenFD = 3
	// mostStored is more than anybody has systemd keep for a service (FileDescriptorStoreMax=).
	mostStored = 1 << 20
	// settledName is what the mark of a finished start is held under.
	settledName = "settled"
	// barrierTime is how long systemd may take to have stored a descriptor.
	barrierTime = 10 * time.Second
)

// Store keeps descriptors with systemd, which hands them to the service's next process: what a keeper does, without one. The
// unit needs Type=notify, FileDescriptorStoreMax= and Restart=. There is no standby, and no upgrade but by killing the
// process.
//
// A descriptor that stands for nothing is held from when the first process has settled until the end (settledName): a process
// that finds others without it finds what a start has left that was not finished, or an end.
//
// A message with a descriptor is answered by nobody; so each is followed by a barrier, a pipe that systemd closes when it has
// dealt with all that came before.
type Store struct {
	mu    sync.Mutex // a message and its barrier at a time
	addr  unix.SockaddrUnix
	fds   map[string]int
	older []int           // of two of one name, which a barrier that timed out leaves
	names map[string]bool // what systemd holds
	first bool            // nothing was there to be taken over
	lost  chan struct{}   // never closed: systemd does not die
}

// StoreOffered says whether systemd listens to this process.
func StoreOffered() bool { return os.Getenv(notifyEnv) != "" }

// StoreFilled says whether systemd hands over what a process before this one had it keep, and whether that one had settled.
func StoreFilled() (filled, settled bool) {
	s, err := InheritedStore()
	if err != nil {
		return false, false
	}
	_, settled = s.fds[settledName]
	return len(s.fds) > 0, settled
}

// InheritedStore returns systemd's store with what it kept for this service.
func InheritedStore() (*Store, error) {
	name := os.Getenv(notifyEnv)
	if name == "" {
		return nil, fmt.Errorf("%s is not set: this is no service of systemd's with Type=notify", notifyEnv)
	}
	if name[0] == '@' { // an abstract one
		name = "\x00" + name[1:]
	}
	s := &Store{
		addr: unix.SockaddrUnix{Name: name}, fds: map[string]int{}, names: map[string]bool{}, lost: make(chan struct{}),
	}
	if pid, _ := strconv.Atoi(os.Getenv("LISTEN_PID")); pid != os.Getpid() {
		return s, nil
	}
	n, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	if err != nil || n < 0 || n > mostStored || n > 0 && len(names) != n {
		return nil, fmt.Errorf("LISTEN_FDS=%q and LISTEN_FDNAMES=%q do not fit", os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES"))
	}
	for i := range n {
		s.names[names[i]] = true
		if old, ok := s.fds[names[i]]; ok {
			s.older = append(s.older, old)
		}
		s.fds[names[i]] = firstListenFD + i
	}
	return s, nil
}

// Await returns what systemd kept, at once. If first is true these are the remains of one that had not settled.
func (s *Store) Await(Formats) (fds map[string]int, first bool, err error) {
	for _, fd := range s.fds {
		unix.CloseOnExec(fd)
	}
	for _, fd := range s.older {
		unix.Close(fd)
	}
	s.older = nil
	fds, s.fds = s.fds, nil
	mark, settled := fds[settledName]
	if settled {
		unix.Close(mark)
		delete(fds, settledName)
	}
	s.first = !settled
	return fds, s.first, nil
}

// Hold has systemd hold a copy of fd under a name, and returns when it does.
func (s *Store) Hold(name string, fd int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(name) // else there would be two of that name
	err := s.send("FDSTORE=1\nFDPOLL=0\nFDNAME="+name, fd)
	if err == nil {
		err = s.barrier()
	}
	if err != nil {
		return fmt.Errorf("hold %s: %w", name, err)
	}
	s.names[name] = true
	return nil
}

// Drop has systemd close what it holds under a name.
func (s *Store) Drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(name)
}

func (s *Store) drop(name string) {
	if s.names[name] && s.send("FDSTOREREMOVE=1\nFDNAME="+name, -1) == nil {
		delete(s.names, name)
	}
}

// Serving tells systemd that the service is ready again. The first process is ready when it is settled.
func (s *Store) Serving() error {
	if s.first {
		return nil
	}
	return s.ready()
}

// Settled has what is held count from now on, and tells systemd that the service is ready.
func (s *Store) Settled() error {
	mark, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(mark)
	if err := s.Hold(settledName, mark); err != nil {
		return err
	}
	return s.ready()
}

func (s *Store) ready() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.send("READY=1", -1)
}

// Ended takes everything out of the store, the mark first.
func (s *Store) Ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(settledName)
	for name := range s.names {
		s.drop(name)
	}
	_ = s.send("STOPPING=1", -1)
	_ = s.barrier()
}

// State is that of no keeper.
func (s *Store) State() State { return State{} }

// Retirements is never sent to.
func (s *Store) Retirements() <-chan Retirement { return nil }

// Retired has nobody to hear it.
func (s *Store) Retired(Retirement) error { return unix.EOPNOTSUPP }

// Lost is never closed.
func (s *Store) Lost() <-chan struct{} { return s.lost }

// Upgrade is what killing the process does: the next one is started from what lies on the disk.
func (s *Store) Upgrade(string, string, int) error { return unix.EOPNOTSUPP }

// barrier returns when systemd has dealt with all messages so far.
func (s *Store) barrier() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(pipe[0])
	err := s.send("BARRIER=1", pipe[1])
	unix.Close(pipe[1])
	if err != nil {
		return err
	}
	for end := time.Now().Add(barrierTime); ; {
		fds := []unix.PollFd{{Fd: int32(pipe[0])}}
		n, err := unix.Poll(fds, int(max(0, time.Until(end)).Milliseconds()))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return fmt.Errorf("systemd does not answer within %v: %w", barrierTime, syscall.ETIMEDOUT)
		default:
			return nil
		}
	}
}

// send sends a message with a descriptor, or none if it is negative.
func (s *Store) send(text string, fd int) error {
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	var rights []byte
	if fd >= 0 {
		rights = unix.UnixRights(fd)
	}
	for {
		err := unix.Sendmsg(socket, []byte(text), rights, &s.addr, unix.MSG_NOSIGNAL)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
