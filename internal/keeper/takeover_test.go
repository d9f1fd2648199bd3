package keeper

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var manners = map[string]bool{"standby": true, "cold": false}

// TestTakeover_Descriptors: what was held is there after each of many deaths, with its contents; what was dropped is not.
func TestTakeover_Descriptors(t *testing.T) {
	for name, standby := range manners {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: standby, Deaths: -1})
			l := s.connect(0)
			l.want("list", "true []")
			want := map[string]string{}
			for round := range 30 {
				for i := range 3 {
					name := fmt.Sprintf("d0.%d.%d", round, i)
					want[name] = fmt.Sprintf("text%d.%d", round, i)
					l.want("hold "+name+" "+want[name], "held")
				}
				old := fmt.Sprintf("d0.%d.1", round)
				l.want("drop "+old, "dropped")
				delete(want, old)
				again := fmt.Sprintf("d0.%d.2", round)
				want[again] = fmt.Sprint("again", round)
				l.want("hold "+again+" "+want[again], "held")
				if gone := fmt.Sprintf("d0.%d.0", round-5); round >= 5 {
					l.want("drop "+gone, "dropped")
					delete(want, gone)
					gone = strings.TrimSuffix(gone, "0") + "2"
					l.want("drop "+gone, "dropped")
					delete(want, gone)
				}
				if standby && round%2 == 0 { // else it may still be starting
					l.stands()
				}
				l.kill()
				l = s.connect(l.pid)
				var all []string
				for name, text := range want {
					all = append(all, name+"="+text)
				}
				slices.Sort(all)
				l.want("list", fmt.Sprint("false ", all))
			}
			st := l.state()
			if st.Takeovers != 30 || st.Last <= 0 || st.Keeper != s.cmd.Process.Pid {
				t.Errorf("state: %+v", st)
			}
			t.Logf("the last take-over took %v", st.Last)
		})
	}
}

// TestTakeover_SameMemory: the successor's descriptor is the same file, not a copy of what was in it when it was held.
func TestTakeover_SameMemory(t *testing.T) {
	s := begin(t, plan{Standby: true})
	l := s.connect(0)
	l.want("hold a early", "held")
	l.stands()
	l.want("write a later", "written")
	l.kill()
	s.connect(l.pid).want("list", "false [a=later]")
}

// TestTakeover_TwoInARow: the successor is killed before it serves, several times.
func TestTakeover_TwoInARow(t *testing.T) {
	s := begin(t, plan{Standby: true, Deaths: -1, Worker: behaviour{Sluggish: 50 * time.Millisecond}})
	l := s.connect(0)
	l.want("hold a 1", "held")
	for range 3 {
		l.stands()
		before := s.children()
		l.kill()
		s.gone(l.pid)
		for _, pid := range before { // the standby, which has been told to go or soon will be
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		l = s.connect(l.pid)
		l.want("list", "false [a=1]")
	}
}

// TestTakeover_Crash: a worker that ends by itself without a word is as dead as one that was killed.
func TestTakeover_Crash(t *testing.T) {
	s := begin(t, plan{})
	l := s.connect(0)
	l.want("hold a 1", "held")
	if got := l.try("die"); got != "" {
		t.Fatalf("die: %q", got)
	}
	s.connect(l.pid).want("list", "false [a=1]")
	if !strings.Contains(s.text(), "exit status 2") {
		t.Error("the log does not say how the worker died")
	}
}

// TestTakeover_TooMany: the keeper refuses what it has no room for, and no more than that is lost.
func TestTakeover_TooMany(t *testing.T) {
	s := begin(t, plan{Standby: true})
	l := s.connect(0)
	for i := range maxHeld {
		l.want(fmt.Sprintf("hold n%d x", i), "held")
	}
	l.want("hold more x", "error: hold more: too many open files in system")
	l.want("hold n3 y", "held")
	l.kill()
	l = s.connect(l.pid)
	if got := l.try("list"); strings.Count(got, "=") != maxHeld || !strings.Contains(got, "n3=y") {
		t.Errorf("list: %s", got)
	}
}

// TestStandby_Killed: another one is started, and the worker knows when there is none.
func TestStandby_Killed(t *testing.T) {
	s := begin(t, plan{Standby: true})
	l := s.connect(0)
	l.want("hold a 1", "held")
	for range 3 {
		l.stands()
		for _, pid := range s.children() {
			if pid != l.pid {
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Fatal(err)
				}
				s.within("that the worker knows", func() bool {
					return !l.state().Standby || !slices.Contains(s.children(), pid)
				})
			}
		}
	}
	l.stands()
	l.kill()
	s.connect(l.pid).want("list", "false [a=1]")
}

// TestStandby_Deaf: a child that does not read neither stops the keeper nor is told to take over for ever.
func TestStandby_Deaf(t *testing.T) {
	s := begin(t, plan{Standby: true, Deaths: -1})
	l := s.connect(0)
	l.stands()
	for _, pid := range s.children() {
		if pid != l.pid {
			if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 400 {
		l.want(fmt.Sprintf("hold a %d", i), "held")
	}
	l.stands()
	l.kill()
	s.connect(l.pid).want("list", "false [a=399]")
	if !strings.Contains(s.text(), "killing a child") {
		t.Error("the child that did not read was not killed")
	}
}

// TestStandby_NotReading: a standby that is slow to start, or stops reading, keeps nothing alive that was dropped.
func TestStandby_NotReading(t *testing.T) {
	for name, b := range map[string]behaviour{"slow": {Slow: time.Hour}, "stopped": {}} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: true, Deaths: -1, Worker: b})
			l := s.connect(0)
			l.want("pipe a", "held")
			if name == "stopped" {
				l.stands()
			} else {
				s.within("a child", func() bool { return len(s.children()) == 2 })
			}
			for _, pid := range s.children() {
				if pid == l.pid {
					continue
				}
				defer unix.Kill(pid, unix.SIGKILL) // it would not notice the end of its keeper
				if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
					t.Fatal(err)
				}
			}
			l.want("pipe b", "held")
			for _, what := range []string{"a", "b"} {
				l.want("drop "+what, "dropped")
				l.want("hangup "+what, "nobody has it")
			}
		})
	}
}
