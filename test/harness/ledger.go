package harness

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
)

// A thing that was created and has to go.
type thing struct {
	ID   int
	Kind string // a key of undoers
	Arg  string
	Gone bool
}

// undoers say how to get rid of each kind of thing. An undoer of something that is gone already does nothing.
var undoers = map[string]func(arg string) error{
	"mount":   forceUnmount,
	"swap":    swapOff,
	"loop":    detachLoop,
	"cgroup":  removeCgroup,
	"process": killProcess,
	"zram":    removeZram,
}

// ledger is this side's end of the pipe to the reaper.
type ledger struct {
	mu     sync.Mutex
	next   int
	out    *json.Encoder
	pipe   io.Closer
	reaper *exec.Cmd
}

// openLedger starts the reaper: the test binary again, in a session of its own so that an interrupt does not reach it.
func openLedger() (*ledger, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=reaper")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the reaper: %w", err)
	}
	return &ledger{out: json.NewEncoder(pipe), pipe: pipe, reaper: cmd}, nil
}

func (l *ledger) write(th thing) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Encode(th)
}

// close tells the reaper that this was all. It fails if something was still in the ledger.
func (l *ledger) close() error {
	l.pipe.Close()
	if err := l.reaper.Wait(); err != nil {
		return errors.New("the reaper had something to undo, see above")
	}
	return nil
}

// Undo enters a thing into the ledger, and its end as a cleanup of the test. The call is to stand right after what
// creates the thing, or, where a failure may leave half of it, right before.
func Undo(t testing.TB, kind, arg string) {
	t.Helper()
	undo, ok := undoers[kind]
	if !ok {
		t.Fatalf("no kind of thing %q", kind)
	}
	run.ledger.mu.Lock()
	run.ledger.next++
	th := thing{ID: run.ledger.next, Kind: kind, Arg: arg}
	run.ledger.mu.Unlock()
	if err := run.ledger.write(th); err != nil {
		t.Fatalf("ledger: %v", err)
	}
	t.Cleanup(func() {
		if err := undo(arg); err != nil {
			t.Errorf("cannot undo %s %s: %v", kind, arg, err)
			return // the reaper tries again
		}
		th.Gone = true
		if err := run.ledger.write(th); err != nil {
			t.Errorf("ledger: %v", err)
		}
	})
}

func init() { Role("reaper", reap) }

// reap is the life of the reaper: it keeps the ledger and, when the other side has closed it or died, undoes what is
// still in it, last things first. It fails if there was any.
func reap(in io.Reader, out io.Writer) error {
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	run.root = os.Getenv(tokenEnv)
	var open []thing
	dec := json.NewDecoder(in)
	for {
		var th thing
		if err := dec.Decode(&th); err != nil {
			break // end of file, or a half line of a killed writer
		}
		if th.Gone {
			open = slices.DeleteFunc(open, func(o thing) bool { return o.ID == th.ID })
		} else {
			open = append(open, th)
		}
	}
	for _, th := range slices.Backward(open) {
		fmt.Fprintf(out, "reaper: undo %s %s: %v\n", th.Kind, th.Arg, undoers[th.Kind](th.Arg))
	}
	strays := processesOfRun()
	for _, pid := range strays {
		fmt.Fprintf(out, "reaper: kill process %d\n", pid)
		syscall.Kill(pid, syscall.SIGKILL)
	}
	if n := len(open) + len(strays); n > 0 {
		if len(mountsBelow(run.root)) == 0 { // else this would delete what is in them
			fmt.Fprintf(out, "reaper: remove %s: %v\n", run.root, os.RemoveAll(run.root))
		}
		return fmt.Errorf("%d things left over", n)
	}
	return nil
}
