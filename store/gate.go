package store

import (
	"runtime"
	"time"

	"uzram/internal/invariants"
	"uzram/internal/lockdep"
)

// enter begins a request: until leave, the live state it returns stays. nil:
// the device is not set up.
func (s *Scratch) enter(d *Device) *live {
	// The order matters: first be seen inside, then load. waitOutside looks
	// after serving was taken away, so one of the two sees the other.
	if s.at.Load() != d {
		s.at.Store(d)
	}
	s.inside.Add(1)
	l := d.serving.Load()
	if l == nil {
		l = s.enterHeld(d)
	}
	if l != nil {
		s.now = bootSeconds()
	}
	return l
}

// enterHeld is enter for as long as I/O is held up.
func (s *Scratch) enterHeld(d *Device) *live {
	for {
		s.inside.Add(1)
		d.gate.RLock()
		setUp := d.live.Load() != nil
		d.gate.RUnlock()
		s.inside.Add(1)
		if l := d.serving.Load(); l != nil || !setUp {
			return l
		}
	}
}

func (s *Scratch) leave(l *live) {
	if invariants.Enabled {
		lockdep.AssertNoneHeld(lockdep.Gate)
	}
	if s.tally != (tally{}) {
		l.counters[s.id].add(&s.tally)
	}
	s.inside.Add(1)
}

// setLive makes the device live, or no longer so, for all at once.
func (d *Device) setLive(l *live) {
	d.gate.Lock()
	d.live.Store(l)
	d.serving.Store(l)
	d.gate.Unlock()
}

// holdIO runs f while no request of the device is under way and none begins. It
// returns false, f not run, if one did not end within patience. The device must
// be live and stay so.
func (d *Device) holdIO(patience time.Duration, f func()) bool {
	d.gate.Lock()
	defer d.gate.Unlock()
	l := d.serving.Swap(nil)
	defer d.serving.Store(l)
	if !d.waitOutside(patience) {
		return false
	}
	f()
	return true
}

// waitOutside returns true once each worker was outside the device's requests at
// some moment after the call, false if that takes longer than patience.
func (d *Device) waitOutside(patience time.Duration) bool {
	start := time.Now()
	for _, s := range d.workers.scratch {
		// A worker may go on without a break, and for other devices. Any change
		// tells that it has left the request that it was in.
		seen := s.inside.Load()
		for try := 0; seen%2 == 1 && s.at.Load() == d && s.inside.Load() == seen; try++ {
			if try < 100 {
				runtime.Gosched()
				continue
			}
			if time.Since(start) > patience {
				return false
			}
			time.Sleep(50 * time.Microsecond)
		}
	}
	return true
}
