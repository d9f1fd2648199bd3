package keeper

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestEnd_Ordered: the keeper ends with the worker's code, nobody stays, nothing is abandoned.
func TestEnd_Ordered(t *testing.T) {
	for name, standby := range manners {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: standby})
			l := s.connect(0)
			if standby {
				l.stands()
			}
			children := s.children()
			l.want("end 7", "")
			if code := s.exit(); code != 7 {
				t.Errorf("exit code %d, want the worker's 7", code)
			}
			for _, pid := range children {
				s.gone(pid)
			}
			if s.exists("abandoned") || !s.exists("started") || !s.exists("settled") {
				t.Errorf("abandoned %v, started %v, settled %v", s.exists("abandoned"), s.exists("started"), s.exists("settled"))
			}
		})
	}
}

// TestEnd_NeverServed: a first worker that dies is not started again.
func TestEnd_NeverServed(t *testing.T) {
	for fails, says := range map[string]string{"start": "exit status 3", "serve": "exit status 5", "settle": "exit status 2"} {
		s := begin(t, plan{Standby: true, Worker: behaviour{Fails: fails}})
		if code := s.exit(); code != 1 || !strings.Contains(s.text(), says) {
			t.Errorf("%s: exit code %d, %q; want 1 and %q", fails, code, s.text(), says)
		}
		if !s.exists("abandoned") || s.exists("settled") {
			t.Errorf("%s: abandoned %v, settled %v", fails, s.exists("abandoned"), s.exists("settled"))
		}
	}
}

// TestEnd_KeeperKilled: worker and standby notice and end.
func TestEnd_KeeperKilled(t *testing.T) {
	s := begin(t, plan{Standby: true})
	l := s.connect(0)
	l.stands()
	children := s.children()
	if len(children) != 2 {
		t.Fatalf("children %v, want worker and standby", children)
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.over = true
	for _, pid := range children {
		s.gone(pid)
	}
	if !s.exists("lost") {
		t.Error("the worker did not notice that the keeper is gone")
	}
}

// TestSignals_Forwarded: those for the daemon reach the worker, the successor too.
func TestSignals_Forwarded(t *testing.T) {
	s := begin(t, plan{Standby: true})
	l := s.connect(0)
	for range 2 {
		for _, sig := range []unix.Signal{unix.SIGTERM, unix.SIGINT, unix.SIGHUP} {
			if err := unix.Kill(s.cmd.Process.Pid, sig); err != nil {
				t.Fatal(err)
			}
			l.want("signal", sig.String())
		}
		l.kill()
		l = s.connect(l.pid)
	}
	// Sessions of their own: a terminal's signals reach the keeper alone.
	for _, pid := range s.children() {
		s.within(fmt.Sprintf("process %d has a session of its own", pid), func() bool { // one that starts makes it first
			sid, err := unix.Getsid(pid)
			return err != nil || sid == pid
		})
	}
}
