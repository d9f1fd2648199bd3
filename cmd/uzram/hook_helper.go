package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func hookCommand() *cli.Command {
	return &cli.Command{
		Name:   hookVerb,
		Hidden: true,
		Action: func(c *cli.Context) error {
			if kind, err := unix.GetsockoptInt(hookFD, unix.SOL_SOCKET, unix.SO_TYPE); c.NArg() != 1 || err != nil || kind != unix.SOCK_SEQPACKET {
				return usagef("%s is for uzram itself", hookVerb)
			}
			return serveHooks(c.Args().First())
		},
	}
}

// serveHooks runs the program as often as it is asked to.
func serveHooks(program string) error {
	unix.CloseOnExec(hookFD)
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) // the daemon unmounts, and runs it once more for each device
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("0"), 0)
	runtime.LockOSThread()
	_ = unix.Prctl(unix.PR_SET_IO_FLUSHER, 0, 0, 0, 0) // what this thread starts
	requests, gone := make(chan string), make(chan struct{})
	go func() {
		defer close(gone)
		for buf := make([]byte, 256); ; {
			n, err := unix.Read(hookFD, buf)
			if err == unix.EINTR {
				continue
			}
			if err != nil || n == 0 {
				return
			}
			requests <- string(buf[:n])
		}
	}()
	for {
		select {
		case <-gone:
			return nil
		case request := <-requests:
			answer := hookDone
			if err := runHook(program, request, gone); err != nil {
				answer = "the program: " + err.Error()
			}
			if err := unix.Send(hookFD, []byte(answer), unix.MSG_NOSIGNAL); err != nil {
				return err
			}
		}
	}
}

// runHook runs the program once. It is killed with all of its group when it takes too long or nobody waits for it any more.
func runHook(program, request string, gone <-chan struct{}) error {
	args, ok := hookArgs(request)
	if !ok {
		return fmt.Errorf("%.40q is no request", request)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = hookGrace // what it leaves in the background may keep its output open
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-gone:
		return killHook(cmd, ended, "nobody waits for it any more")
	case <-time.After(hookTime):
		return killHook(cmd, ended, fmt.Sprintf("it took more than %v", hookTime))
	}
	if err == exec.ErrWaitDelay {
		err = nil
	}
	if text := strings.TrimSpace(said.String()); err != nil && text != "" {
		err = fmt.Errorf("%w: %.200q", err, text)
	}
	return err
}

// killHook does not wait for ever: one that is inside a request of the mount dies when that is answered.
func killHook(cmd *exec.Cmd, ended <-chan error, why string) error {
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	select {
	case <-ended:
	case <-time.After(hookGrace):
	}
	return fmt.Errorf("killed, for %s", why)
}
