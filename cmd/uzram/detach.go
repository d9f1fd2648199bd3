package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"uzram/internal/ctldir"

	"golang.org/x/sys/unix"
)

// A detached daemon and the process that started it talk over a socket pair:
//
//	daemon: mounts; report{Loop} ──>  starter: writes the settings
//	daemon: stays               <──   keep
//	daemon: report{}             ──>  starter: is done
//
// Where there is a keeper, the daemon's side is the first worker's.
//
// A report with an error, or the end of the connection instead of one, is a failed start. The end of the connection
// instead of keep (a setting was refused, or the starter was killed) makes the daemon unmount and end.

const (
	linkEnv = "UZRAM_LINK_FD"
	linkFD  = 3 // the first of exec.Cmd's ExtraFiles
	keep    = "keep\n"
)

// report is the daemon's one message, a line of JSON.
type report struct {
	Loop  string `json:"loop"`
	Error string `json:"error,omitempty"`
	Code  int    `json:"code,omitempty"`
}

// detach starts the daemon and returns when the mount answers and all settings are made.
func detach(o mountOptions, stdout io.Writer) error {
	cmd, link, err := startDaemon(o)
	if err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	r, err := await(link)
	var undo func()
	if err == nil {
		undo, err = configure(ctldir.Open(o.dir), o.backing, o.settings, o.restore, o.swapping())
	}
	if err != nil {
		link.Close() // the daemon unmounts and ends
		if end := cmd.Wait(); errors.Is(err, io.EOF) {
			err = fmt.Errorf("the daemon ended before the mount answered: %v", end)
		}
		return err
	}
	if _, err := io.WriteString(link, keep); err != nil {
		undo()
		return fmt.Errorf("the daemon ended after the mount answered: %w", err)
	}
	if _, err := await(link); err != nil && !servedOn(err, o.dir) {
		undo()
		return fmt.Errorf("the daemon ended after the settings were made: %w", err)
	}
	if r.Loop != "" {
		fmt.Fprintln(stdout, r.Loop)
	}
	return nil
}

// servedOn says whether the mount on dir goes on although its worker ended before it had reported. Until the keeper knows
// that all is settled a death of the worker ends all; afterwards the next one answers.
func servedOn(err error, dir string) bool {
	if !errors.Is(err, io.EOF) {
		return false
	}
	_, err = readStatus(dir)
	return err == nil
}

// startDaemon starts this program with the same arguments as the daemon, in a session of its own.
func startDaemon(o mountOptions) (*exec.Cmd, *os.File, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "link"), os.NewFile(uintptr(pair[1]), "link")
	defer theirs.Close()
	cmd := exec.Command(exe, os.Args[1:]...)
	cmd.Env = append(os.Environ(), linkEnv+"="+strconv.Itoa(linkFD))
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if o.logFile != "" { // for what the runtime says when it crashes
		if f, err := openLogFile(o.logFile); err == nil {
			defer f.Close()
			cmd.Stderr = f
		}
	}
	if err := cmd.Start(); err != nil {
		ours.Close()
		return nil, nil, err
	}
	return cmd, ours, nil
}

// await reads the daemon's report; io.EOF if it ended without one.
func await(link io.Reader) (report, error) {
	var r report
	line, err := bufio.NewReader(link).ReadBytes('\n')
	if err != nil {
		return r, io.EOF
	}
	if err := json.Unmarshal(line, &r); err != nil {
		return r, fmt.Errorf("report of the daemon: %w", err)
	}
	if r.Error != "" {
		return r, withCode(r.Code, errors.New(r.Error))
	}
	return r, nil
}

// starter is the face of a detached daemon: the link to the process that started it.
type starter struct{ fd int }

// inheritedLink returns the link if this process was started as a daemon. The environment keeps the mark, since the guards
// may start the program once more.
func inheritedLink() (*starter, bool) {
	fd, err := strconv.Atoi(os.Getenv(linkEnv))
	return &starter{fd: fd}, err == nil
}

// guarded keeps the link, which outlives a new start of this program, from what the daemon itself starts.
func (s *starter) guarded() { unix.CloseOnExec(s.fd) }

// mounted reports, and waits for the starter to say that the settings are made.
func (s *starter) mounted(loop string) error {
	if err := s.send(report{Loop: loop}); err != nil {
		return fmt.Errorf("tell the starter that the mount answers: %w", err)
	}
	buf := make([]byte, len(keep))
	for got := 0; got < len(keep); {
		n, err := unix.Read(s.fd, buf[got:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return err
		case n == 0:
			return errors.New("the settings were not made")
		default:
			got += n
		}
	}
	return nil
}

// settled lets go of what belongs to the starter: the link, and the directory that it was started in.
func (s *starter) settled() {
	_ = s.send(report{})
	s.close()
	_ = os.Chdir("/")
}

func (s *starter) close() {
	unix.Close(s.fd)
	s.fd = -1
}

// failed tells the starter why there is no mount. Later errors, and none, are not its business.
func (s *starter) failed(err error) {
	if err == nil || s.fd < 0 {
		return
	}
	_ = s.send(report{Error: sentence(err), Code: exitCode(err)})
}

func (s *starter) send(r report) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// The starter may be gone; that is an error here and must not be a signal.
	return unix.Send(s.fd, append(line, '\n'), unix.MSG_NOSIGNAL)
}
