package keeper

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// patience is far longer than anything takes here, on a machine that lets a new process wait for a CPU too.
const patience = 2 * time.Minute

// scene is a keeper of a test.
type scene struct {
	t    *testing.T
	dir  string
	cmd  *exec.Cmd
	log  string
	over bool
}

func begin(t *testing.T, p plan) *scene {
	t.Helper()
	dir, err := os.MkdirTemp("", "keeper") // shorter than t.TempDir: a socket's name has 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p.Dir = dir
	if p.Worker.Formats == (Formats{}) {
		p.Worker.Formats = Formats{Min: 1, Max: 2, Makes: 2}
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, dir: dir, log: filepath.Join(dir, "log")}
	log, err := os.Create(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.cmd = exec.Command(exe)
	s.cmd.Env = append(os.Environ(), roleEnv+"=keeper", planEnv+"="+string(text))
	s.cmd.Stderr = log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.end)
	return s
}

// end kills the keeper, whose children end by themselves, and waits for that.
func (s *scene) end() {
	if !s.over {
		children := s.children()
		s.cmd.Process.Kill()
		s.cmd.Wait()
		for _, pid := range children {
			s.gone(pid)
		}
	}
	if s.t.Failed() {
		s.t.Logf("log:\n%s", s.text())
	}
}

func (s *scene) text() string {
	text, _ := os.ReadFile(s.log)
	return string(text)
}

// within waits until something is so.
func (s *scene) within(what string, so func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

func (s *scene) exists(name string) bool {
	_, err := os.Stat(filepath.Join(s.dir, name))
	return err == nil
}

// children are the processes whose parent is the keeper.
func (s *scene) children() (all []int) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.cmd.Process.Pid))
	for _, name := range threads {
		text, _ := os.ReadFile(name)
		for _, f := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(f); err == nil {
				all = append(all, pid)
			}
		}
	}
	return all
}

// gone waits until a process is gone.
func (s *scene) gone(pid int) {
	s.within(fmt.Sprintf("the end of process %d", pid), func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(text), ") Z ")
	})
}

// line is a connection to the worker that serves.
type line struct {
	s    *scene
	conn net.Conn
	in   *bufio.Reader
	pid  int
}

// connect waits until a worker serves that is not the one with the process id not.
func (s *scene) connect(not int) *line {
	s.t.Helper()
	var l *line
	s.within("a worker that serves", func() bool {
		conn, err := net.Dial("unix", filepath.Join(s.dir, "sock"))
		if err != nil {
			return false
		}
		raw, err := conn.(*net.UnixConn).SyscallConn()
		if err != nil {
			s.t.Fatal(err)
		}
		var cred *unix.Ucred
		raw.Control(func(fd uintptr) { cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
		if err != nil || int(cred.Pid) == not {
			conn.Close()
			return false
		}
		l = &line{s, conn, bufio.NewReader(conn), int(cred.Pid)}
		return true
	})
	s.t.Cleanup(func() { l.conn.Close() })
	return l
}

// try gives a command; "" if the worker died over it.
func (l *line) try(command string) string {
	l.s.t.Helper()
	l.conn.SetDeadline(time.Now().Add(patience))
	if _, err := fmt.Fprintln(l.conn, command); err != nil {
		return ""
	}
	answer, err := l.in.ReadString('\n')
	if err == io.EOF || err != nil && strings.Contains(err.Error(), "reset") {
		return ""
	}
	if err != nil {
		l.s.t.Fatal(err)
	}
	return strings.TrimSuffix(answer, "\n")
}

func (l *line) want(command, answer string) {
	l.s.t.Helper()
	if got := l.try(command); got != answer {
		l.s.t.Fatalf("%s: %q, want %q", command, got, answer)
	}
}

func (l *line) state() (st State) {
	l.s.t.Helper()
	if err := json.Unmarshal([]byte(l.try("state")), &st); err != nil {
		l.s.t.Fatal(err)
	}
	return st
}

func (l *line) kill() {
	l.s.t.Helper()
	if err := unix.Kill(l.pid, unix.SIGKILL); err != nil {
		l.s.t.Fatal(err)
	}
}

// stands waits for the standby.
func (l *line) stands() {
	l.s.t.Helper()
	l.s.within("a standby", func() bool { return l.state().Standby })
}

// exit waits for the keeper's end and returns its code.
func (s *scene) exit() int {
	s.t.Helper()
	done := make(chan struct{})
	go func() { s.cmd.Wait(); close(done) }()
	select {
	case <-done:
		s.over = true
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		s.t.Fatalf("the keeper does not end; log:\n%s", s.text())
		return -1
	}
}
