package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The program of --hook is run by a process of its own, with all rights that the mount was started with: the one that
// serves gives most of them up, is locked in memory and must not be the last to be killed when memory is short. They talk
// over a socket pair, a message for each run and one for how it went; the end of the connection ends the hook too.

// hookVerb is for the daemon alone and not listed.
const hookVerb = "hook"

// hookFD is the helper's end, the first of exec.Cmd's ExtraFiles.
const hookFD = 3

// hookDone is the answer when all went well.
const hookDone = "done"

// hookTime is how long the program may take, hookGrace how long its end may take then.
const (
	hookTime  = 30 * time.Second
	hookGrace = 5 * time.Second
)

// hooks is the daemon's end.
type hooks struct {
	mu     sync.Mutex // one run at a time
	socket int
}

// startHooks starts the helper. It is called when this process will not start itself again, and before it gives rights up.
func startHooks(program string) (*hooks, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	theirs := os.NewFile(uintptr(pair[1]), "hook")
	defer theirs.Close()
	cmd := exec.Command(selfExe, hookVerb, program)
	cmd.Args[0] = "uzram"
	cmd.Env = plainEnviron()
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) // what systemd kept is not for the hook
	if err := cmd.Start(); err != nil {
		unix.Close(pair[0])
		return nil, fmt.Errorf("start the helper for --hook: %w", err)
	}
	go func() { _ = cmd.Wait() }() // it ends with the connection
	return &hooks{socket: pair[0]}, nil
}

// plainEnviron is the environment without what is for this program's own processes.
func plainEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "UZRAM_") })
}

// run has the program run, and returns when it has ended.
func (h *hooks) run(action, name string, dev uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	request := fmt.Sprintf("%s %s %d %d", action, name, unix.Major(dev), unix.Minor(dev))
	if err := unix.Send(h.socket, []byte(request), unix.MSG_NOSIGNAL); err != nil {
		return fmt.Errorf("the helper for --hook is gone: %w", err)
	}
	answer := make([]byte, 4096)
	for end := time.Now().Add(hookTime + 2*hookGrace); ; {
		wait := []unix.PollFd{{Fd: int32(h.socket), Events: unix.POLLIN}}
		if n, _ := unix.Poll(wait, max(int(time.Until(end).Milliseconds()), 0)+1); n <= 0 {
			if time.Now().Before(end) {
				continue
			}
			unix.Close(h.socket) // what it says later must not be taken for the answer to another request
			h.socket = -1
			return errors.New("the helper for --hook does not answer")
		}
		n, err := unix.Read(h.socket, answer)
		switch {
		case err == unix.EINTR, err == unix.EAGAIN:
			continue
		case err != nil:
			return err
		case n == 0:
			return errors.New("the helper for --hook is gone")
		}
		if text := string(answer[:n]); text != hookDone {
			return errors.New(text)
		}
		return nil
	}
}

// close ends the helper.
func (h *hooks) close() {
	if h != nil && h.socket >= 0 {
		unix.Close(h.socket)
	}
}

// hookArgs are what the program gets; false if the request is none.
func hookArgs(request string) ([]string, bool) {
	args := strings.Fields(request)
	if len(args) != 4 || args[0] != "add" && args[0] != "remove" {
		return nil, false
	}
	if _, ok := deviceNumber(args[1]); !ok {
		return nil, false
	}
	for _, n := range args[2:] {
		if _, err := strconv.ParseUint(n, 10, 32); err != nil {
			return nil, false
		}
	}
	return args, true
}
