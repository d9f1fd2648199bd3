package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// commandTimeout is for commands that do a test's work; a hang is what it is there for.
const commandTimeout = 2 * time.Minute

// Cmd is a command to run to its end.
type Cmd struct {
	Args    []string // program and arguments
	Stdin   string
	Dir     string        // working directory; "" = this process's
	Timeout time.Duration // 0 = two minutes
}

// Result is what a command did.
type Result struct {
	Code           int // exit status; -1 if it did not end by itself
	Stdout, Stderr string
	Err            error // nil if the status was 0
}

// run runs the command. Output goes through pipes on purpose: a daemon that keeps them open hangs the caller of a
// detached mount, and shows here as an error.
func (c *Cmd) run() Result {
	limit := c.Timeout
	if limit == 0 {
		limit = commandTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, strings.NewReader(c.Stdin), &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	var stacks string
	cmd.Cancel = func() error {
		stacks = kernelStacks(cmd.Process.Pid)
		return cmd.Process.Kill()
	}
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		err = fmt.Errorf("%q hung for %v; its threads are in\n%s", c.Args, limit, stacks)
	case errors.Is(err, exec.ErrWaitDelay):
		err = fmt.Errorf("%q: something it left behind keeps its output open", c.Args)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String(), Err: err}
}

// Try runs a command that may fail; only one that hangs or cannot be started fails the test.
func (c *Cmd) Try(t testing.TB) Result {
	t.Helper()
	res := c.run()
	var exit *exec.ExitError
	if res.Err != nil && !errors.As(res.Err, &exit) {
		t.Fatalf("%v\n%s%s", res.Err, res.Stdout, res.Stderr)
	}
	return res
}

// Try runs a command that may fail.
func Try(t testing.TB, args ...string) Result {
	t.Helper()
	return (&Cmd{Args: args}).Try(t)
}

// Run runs a command that must succeed and returns its output.
func Run(t testing.TB, args ...string) string {
	t.Helper()
	res := Try(t, args...)
	if res.Err != nil {
		t.Fatalf("%q: %v\n%s%s", args, res.Err, res.Stdout, res.Stderr)
	}
	return res.Stdout
}

// Uzram runs the binary under test.
func Uzram(t testing.TB, args ...string) Result {
	t.Helper()
	return Try(t, append([]string{run.bin}, args...)...)
}

// Proc is a process that runs beside the test and ends with it.
type Proc struct {
	PID    int
	Stdout *Lines // what it writes, line by line
	stdin  io.WriteCloser
	stderr *bytes.Buffer
	done   chan struct{}
	err    error // valid once done is closed
}

// Start starts a process that the end of the test kills, if need be.
func Start(t testing.TB, args ...string) *Proc {
	t.Helper()
	return start(t, exec.Command(args[0], args[1:]...))
}

// StartRole starts the test binary in one of its roles; orders is all that it reads.
func StartRole(t testing.TB, role, orders string) *Proc {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"="+role)
	p := start(t, cmd)
	if _, err := io.WriteString(p.stdin, orders); err != nil {
		t.Fatalf("orders for %s: %v", role, err)
	}
	p.CloseStdin()
	return p
}

func start(t testing.TB, cmd *exec.Cmd) *Proc {
	t.Helper()
	p := &Proc{stderr: &bytes.Buffer{}, done: make(chan struct{})}
	if cmd.Stderr == nil {
		cmd.Stderr = p.stderr
	}
	cmd.WaitDelay = 5 * time.Second
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.Close() })
	cmd.Stdout = in
	err = cmd.Start()
	in.Close()
	if err != nil {
		t.Fatal(err)
	}
	p.PID = cmd.Process.Pid
	p.Stdout = newLines(out)
	name := processName(p.PID) // which it has until somebody waits for it
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() { p.Wait(t, undoTimeout) })
	Undo(t, "process", name)
	return p
}

// CloseStdin ends what the process reads.
func (p *Proc) CloseStdin() { p.stdin.Close() }

// Signal sends it a signal.
func (p *Proc) Signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(p.PID, sig); err != nil {
		t.Fatalf("signal %v to process %d: %v", sig, p.PID, err)
	}
}

// Wait waits for the process to end and returns its exit status (-1 if a signal ended it) and what it wrote to stderr.
func (p *Proc) Wait(t testing.TB, limit time.Duration) (code int, stderr string) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(limit):
		t.Fatalf("process %d still runs after %v", p.PID, limit)
	}
	var exit *exec.ExitError
	switch {
	case errors.As(p.err, &exit):
		return exit.ExitCode(), p.stderr.String()
	case p.err != nil:
		t.Fatalf("process %d: %v", p.PID, p.err)
	}
	return 0, p.stderr.String()
}

// Running says whether the process has not ended yet.
func (p *Proc) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}
