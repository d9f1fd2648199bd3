package keeper

import (
	"strings"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	b := backoff{limit: 3}
	at := func(s float64, life time.Duration, want time.Duration) {
		t.Helper()
		if got := b.died(time.Duration(s*float64(time.Second)), life); got != want {
			t.Errorf("death at %v s after %v: wait %v, want %v", s, life, got, want)
		}
	}
	at(1, 0, 0)
	at(2, 0, 0)
	for s := range 100 { // these have done some work
		at(2+float64(s)/100, time.Second, 0)
	}
	at(3, 0, 1*time.Second)
	at(5, 0, 2*time.Second)
	at(8, 0, 4*time.Second)
	at(13, 0, 8*time.Second)
	at(22, 0, 16*time.Second)
	at(39, 0, 30*time.Second)
	at(70, 0, 30*time.Second)
	at(200, 0, 0) // all forgotten
	at(201, 0, 0)
	at(202, 0, time.Second)

	b = backoff{limit: 3} // never three within a minute
	for s := 0.; s < 1000; s += 31 {
		at(s, 0, 0)
	}
	b = backoff{}
	for s := range 100 {
		at(float64(s), 0, 0)
	}
}

// TestBackoff_Worker: a worker that cannot take over is tried again with pauses, and each is logged.
func TestBackoff_Worker(t *testing.T) {
	for name, standby := range manners {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plan{Standby: standby, Deaths: 3, Worker: behaviour{Fails: "later"}})
			l := s.connect(0)
			l.kill()
			s.within("a pause", func() bool { return strings.Contains(s.text(), "again so soon: I/O waits") })
			if n := strings.Count(s.text(), `msg="worker died"`); n != 2 && n != 3 { // the first may have lived long enough
				t.Errorf("%d deaths were logged before the pause, want 2 or 3", n)
			}
			if !strings.Contains(s.text(), "wait=1s") {
				t.Error("the log does not say how long the pause is")
			}
		})
	}
}

// TestBackoff_Standby: the worker knows that there is no standby, and for how long.
func TestBackoff_Standby(t *testing.T) {
	s := begin(t, plan{Standby: true, Deaths: 3, Worker: behaviour{Fails: "standby"}})
	l := s.connect(0)
	s.within("a pause", func() bool { return l.state().Wait > 0 })
	if !strings.Contains(s.text(), "there is none for a while") {
		t.Error("the log does not say so")
	}
	l.want("hold a 1", "held")
}
