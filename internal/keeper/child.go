package keeper

import (
	"fmt"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socketEnv tells a worker the number of its socket.
const (
	socketEnv = "UZRAM_KEEPER_FD"
	socketFD  = 3
)

// programFD is the least number that a program's descriptor gets: those below are laid out anew for a child before it
// starts the program.
const programFD = 64

// child is a worker, a standby, or one that may become one.
type child struct {
	pid, pidfd, socket int
	proc               int // /proc/PID/status, -1 if it could not be opened
	started, served    time.Duration
	standing, serving  bool
	due                bool // is to go when it stands
	ended              bool // said so
	replaced           bool // killed for an upgrade
	asking             bool // for an upgrade, and has no answer yet
	failed             bool // does not keep to the protocol, or does not read
	pinged             bool // and has not answered
	behind             bool // was told more since
	pingedAt           time.Duration
	stuck              int  // how often stuck in turn
	gone               bool // has been waited for
	closed             bool
	formats            Formats
	queue              []message     // for which the socket has no room yet
	readAt             time.Duration // when it read the last of them
}

// program opens what to start, by a descriptor that goes on meaning the same file when its name is given to another one.
func program(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fd)
	return highFD(fd)
}

// highFD is a copy of fd with a number that no child's descriptor has.
func highFD(fd int) (int, error) { return unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, programFD) }

// spawn starts a program in a session of its own: what the terminal sends reaches the keeper alone, and nothing that a
// terminal does can stop a worker.
func spawn(program int, c Command) (*child, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socketpair: %w", err)
	}
	defer unix.Close(pair[1])
	files := []uintptr{0, 1, 2, uintptr(pair[1])}
	for _, f := range c.Files {
		files = append(files, uintptr(f))
	}
	env := []string{socketEnv + "=" + strconv.Itoa(socketFD)} // first: of two the first counts
	env = append(env, c.Env...)
	attr := &syscall.ProcAttr{Env: env, Files: files, Sys: &syscall.SysProcAttr{Setsid: true}}
	pid, err := syscall.ForkExec("/proc/self/fd/"+strconv.Itoa(program), c.Args, attr)
	if err != nil {
		unix.Close(pair[0])
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	ch := &child{pid: pid, socket: pair[0], proc: -1}
	if ch.pidfd, err = unix.PidfdOpen(pid, 0); err != nil {
		unix.Close(pair[0])
		_ = unix.Kill(pid, unix.SIGKILL)
		return nil, fmt.Errorf("watch process %d: %w", pid, err)
	}
	if fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/status", unix.O_RDONLY|unix.O_CLOEXEC, 0); err == nil {
		ch.proc = fd
	}
	return ch, nil
}

// kill does nothing to a child that has been waited for: its number may be another's.
func (c *child) kill() {
	if !c.gone {
		_ = unix.Kill(c.pid, unix.SIGKILL)
	}
}

// unread says whether a child may not have read what it was told.
func (c *child) unread() bool { return c != nil && c.pinged && !c.failed }

func (c *child) close() {
	if c.closed {
		return
	}
	c.closed = true
	unix.Close(c.pidfd)
	unix.Close(c.socket)
	if c.proc >= 0 {
		unix.Close(c.proc)
	}
}

// end says how a process ended.
func end(s unix.WaitStatus) string {
	if s.Signaled() {
		return "signal: " + s.Signal().String()
	}
	return "exit status " + strconv.Itoa(s.ExitStatus())
}
