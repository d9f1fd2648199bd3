//go:build failpoints || invariants || race

package failpoint_test

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"uzram/internal/failpoint"
)

// childEnv has the test binary come by a point a hundred times, and say so.
const childEnv = "UZRAM_FAILPOINT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		for range 100 {
			failpoint.Hit(failpoint.WriteLocked)
			os.Stdout.WriteString(".")
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// pass runs the child and returns how often it came past the point.
func pass(env string) (times int, killed bool) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=1", env)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		killed = exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	}
	return len(out), killed
}

func TestKill_FromEnvironment(t *testing.T) {
	if n, killed := pass(failpoint.Env + "=write-locked:7=kill"); n != 6 || !killed {
		t.Errorf("came past %d times, killed: %v; want 6 and death at the 7th", n, killed)
	}
	if n, killed := pass(failpoint.Env + "=write-filled=kill"); n != 100 || killed {
		t.Errorf("an order for another point: came past %d times, killed: %v", n, killed)
	}
	if n, _ := pass(failpoint.Env + "=write-locked=what"); n != 0 {
		t.Errorf("with an order that is none the process ran")
	}
}

// TestKill_ByBoard: one order is one death, whoever shares the board.
func TestKill_ByBoard(t *testing.T) {
	b, path, fd, err := failpoint.NewBoard()
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	b.Arm(failpoint.KillAt(failpoint.WriteLocked, 150))
	before := failpoint.Now()
	if n, killed := pass(failpoint.BoardEnv + "=" + path); n != 100 || killed {
		t.Fatalf("came past %d times, killed: %v", n, killed)
	}
	if r := b.Record(failpoint.WriteLocked); r.Hits != 100 || r.Fired != 0 || !r.Armed {
		t.Errorf("after 100 hits: %+v", r)
	}
	if n, killed := pass(failpoint.BoardEnv + "=" + path); n != 49 || !killed {
		t.Errorf("came past %d times, killed: %v; want 49 and death", n, killed)
	}
	if r := b.Record(failpoint.WriteLocked); r.Fired != 1 || r.Armed || r.PID == 0 || int64(r.When) < before || int64(r.When) > failpoint.Now() {
		t.Errorf("after the death: %+v", r)
	}
	if n, killed := pass(failpoint.BoardEnv + "=" + path); n != 100 || killed {
		t.Errorf("the order was not used up: %d times, killed: %v", n, killed)
	}
	if err := syscall.Ftruncate(fd, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := failpoint.OpenBoard(path); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a file cut short is a board: %v", err)
	}
}

func set(t *testing.T, text string) {
	t.Helper()
	if err := failpoint.Set(text); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { failpoint.Set("") })
}

func TestError(t *testing.T) {
	set(t, "backing-read:2=error:ENOSPC,backing-write:3+=error,conn-read:2=short")
	for i, want := range []error{nil, syscall.ENOSPC, nil, nil} {
		if err := failpoint.Error(failpoint.BackingRead); !errors.Is(err, want) {
			t.Errorf("read %d: %v, want %v", i, err, want)
		}
	}
	for i := range 9 {
		if err := failpoint.Error(failpoint.BackingWrite); (err != nil) != (i%3 == 2) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	for i, want := range []int{40, 20, 40} {
		if err := failpoint.Error(failpoint.ConnRead); err != nil {
			t.Errorf("request %d: %v", i, err)
		}
		if n := failpoint.Cut(failpoint.ConnRead, 40); n != want {
			t.Errorf("request %d has %d bytes, want %d", i, n, want)
		}
	}
	if err := failpoint.Set("no-point=error"); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("an order that is none: %v", err)
	}
}

func TestStall(t *testing.T) {
	set(t, "worker=stall:50ms")
	start := time.Now()
	failpoint.Hit(failpoint.Worker)
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("stalled for %v", took)
	}
}

func TestObserve(t *testing.T) {
	var seen []failpoint.Point
	failpoint.Observe(func(p failpoint.Point) { seen = append(seen, p) })
	failpoint.Hit(failpoint.ReadLocked)
	failpoint.Observe(nil)
	failpoint.Hit(failpoint.ReadDecoded)
	if len(seen) != 1 || seen[0] != failpoint.ReadLocked {
		t.Errorf("seen %v", seen)
	}
}

// TestOneOfMany: however many come by at once, one order befalls one of them.
func TestOneOfMany(t *testing.T) {
	set(t, "memory:500=error")
	var failed atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if failpoint.Error(failpoint.Memory) != nil {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if failed.Load() != 1 {
		t.Errorf("%d failed", failed.Load())
	}
}
