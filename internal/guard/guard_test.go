package guard

import (
	"errors"
	"runtime/debug"
	"strings"
	"testing"

	"uzram/internal/status"

	"golang.org/x/sys/unix"
)

// fake is a System whose answers are fields, and which notes what was done to it.
type fake struct {
	env           map[string]string
	caps          map[uint]bool
	memlock       uint64
	unlimited     bool
	lockErr       error
	flusher       bool
	flusherErr    error
	setFlusherErr error
	score         string
	setScoreErr   error
	locked        bool
	execs         []string
	scoreWritten  string
	gcPercent     int
	lockedAtExecs bool
}

func (f *fake) Getenv(k string) string       { return f.env[k] }
func (f *fake) Capable(c uint) bool          { return f.caps[c] }
func (f *fake) MemlockLimit() (uint64, bool) { return f.memlock, f.unlimited }
func (f *fake) LockMemory() error            { f.locked = f.lockErr == nil; return f.lockErr }
func (f *fake) IOFlusher() (bool, error)     { return f.flusher, f.flusherErr }
func (f *fake) OOMScoreAdj() (string, error) { return f.score, nil }
func (f *fake) SetGCPercent(p int)           { f.gcPercent = p }

func (f *fake) SetIOFlusherAndExec(env string) error {
	f.execs = append(f.execs, env)
	f.lockedAtExecs = f.locked
	if f.setFlusherErr == nil {
		panic("a new start that works does not return")
	}
	return f.setFlusherErr
}

func (f *fake) SetOOMScoreAdj(s string) error { f.scoreWritten = s; return f.setScoreErr }

func TestApply(t *testing.T) {
	all := map[uint]bool{unix.CAP_IPC_LOCK: true}
	for _, c := range []struct {
		name  string
		sys   fake
		guard string
		state status.GuardState
		text  string // part of the reason
	}{
		{"lock by capability", fake{caps: all, flusher: true}, "mlock", status.GuardActive, ""},
		{"lock by limit", fake{unlimited: true, flusher: true}, "mlock", status.GuardActive, ""},
		{"no right to lock", fake{memlock: 8 << 20, flusher: true}, "mlock", status.GuardRefused, "CAP_IPC_LOCK or an unlimited RLIMIT_MEMLOCK, which is 8.00 MiB"},
		{"lock fails", fake{caps: all, flusher: true, lockErr: unix.ENOMEM}, "mlock", status.GuardRefused, unix.ENOMEM.Error()},
		{"flusher after the new start", fake{flusher: true, env: map[string]string{reexecEnv: "1"}}, "io_flusher", status.GuardActive, ""},
		{"flusher inherited", fake{flusher: true}, "io_flusher", status.GuardActive, ""},
		{"flusher may not be asked", fake{flusherErr: unix.EPERM}, "io_flusher", status.GuardRefused, "needs CAP_SYS_RESOURCE"},
		{"flusher may not be set", fake{setFlusherErr: unix.EPERM}, "io_flusher", status.GuardRefused, "needs CAP_SYS_RESOURCE"},
		{"kernel without flusher", fake{flusherErr: unix.EINVAL}, "io_flusher", status.GuardRefused, "5.6"},
		{"new start fails", fake{setFlusherErr: unix.ENOENT}, "io_flusher", status.GuardRefused, unix.ENOENT.Error()},
		{"mark lost", fake{env: map[string]string{reexecEnv: "1"}}, "io_flusher", status.GuardRefused, "lost"},
		{"score set", fake{flusher: true}, "oom_score_adj", status.GuardActive, ""},
		{"score there", fake{flusher: true, score: "-1000\n", setScoreErr: unix.EACCES}, "oom_score_adj", status.GuardActive, ""},
		{"score refused", fake{flusher: true, setScoreErr: unix.EACCES}, "oom_score_adj", status.GuardRefused, "needs CAP_SYS_RESOURCE"},
		{"collector", fake{flusher: true}, "gc", status.GuardActive, "50 %"},
		{"collector set by the user", fake{flusher: true, env: map[string]string{"GOGC": "off"}}, "gc", status.GuardOff, "GOGC=off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := find(t, Apply(&c.sys), c.guard)
			if got.State != c.state || !strings.Contains(got.Reason, c.text) || c.text == "" && got.Reason != "" {
				t.Errorf("got %+v, want %s with %q", got, c.state, c.text)
			}
		})
	}
}

func find(t *testing.T, guards []status.Guard, name string) status.Guard {
	t.Helper()
	for _, g := range guards {
		if g.Name == name {
			return g
		}
	}
	t.Fatalf("no guard %q in %v", name, guards)
	return status.Guard{}
}

// TestApply_StartsAgainOnce covers what the states do not show: when the program is started anew, and that nothing is
// locked before, for a locked program would be charged twice for a moment.
func TestApply_StartsAgainOnce(t *testing.T) {
	sys := &fake{caps: map[uint]bool{unix.CAP_IPC_LOCK: true}, setFlusherErr: unix.EPERM}
	Apply(sys)
	if len(sys.execs) != 1 || sys.execs[0] != reexecEnv+"=1" || sys.lockedAtExecs {
		t.Errorf("execs %q, locked before: %v; want one with the mark, before locking", sys.execs, sys.lockedAtExecs)
	}
	sys = &fake{env: map[string]string{reexecEnv: "1"}}
	Apply(sys)
	if len(sys.execs) != 0 {
		t.Errorf("execs %q after a new start, want none", sys.execs)
	}
}

func TestApply_LimitedMemoryIsNotLocked(t *testing.T) {
	sys := &fake{memlock: 1 << 30, flusher: true}
	if Apply(sys); sys.locked {
		t.Error("locked under a limit: a later mmap would fail")
	}
}

func TestReserve(t *testing.T) {
	for _, c := range []struct {
		bytes  uint64
		setUp  bool
		state  status.GuardState
		reason string
	}{
		{0, false, status.GuardOff, "no disk is set up"},
		{0, true, status.GuardOff, "nothing has needed memory yet"},
		{1 << 20, true, status.GuardActive, "1.00 MiB"},
	} {
		if g := Reserve(c.bytes, c.setUp); g.State != c.state || g.Reason != c.reason || g.Name != "reserve" {
			t.Errorf("Reserve(%d, %v) = %+v", c.bytes, c.setUp, g)
		}
	}
}

// TestKernel runs the guards for real in this process. What may be refused depends on the rights at hand; that the state
// is what the kernel says afterwards does not.
func TestKernel(t *testing.T) {
	defer unix.Munlockall()
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	sys := noExec{Kernel{}}
	for _, g := range Apply(sys) {
		t.Logf("%s: %s (%s)", g.Name, g.State, g.Reason)
		if g.State == status.GuardRefused && g.Reason == "" {
			t.Errorf("%s is refused without a reason", g.Name)
		}
		if score, err := sys.OOMScoreAdj(); g.Name == "oom_score_adj" && (err != nil || (g.State == status.GuardActive) != (strings.TrimSpace(score) == "-1000")) {
			t.Errorf("oom_score_adj is %s and reads %q, %v", g.State, score, err)
		}
	}
}

// noExec keeps the test binary from starting itself again.
type noExec struct{ Kernel }

func (noExec) SetIOFlusherAndExec(string) error { return errors.New("not in a test") }
