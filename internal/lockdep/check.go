//go:build invariants || race

package lockdep

import "time"

// Acquire comes before any wait for a lock.
func Acquire(r Rank, id ID, m Mode) {
	s, me := self()
	if kind, with := s.find(me).forbids(r, id, true); with != nil {
		s.fail(kind, "waits for", r, id, m, with)
	}
	s.enter(me).push(r, id, m, true, 1)
	s.mu.Unlock()
}

// Acquired comes after the wait that Acquire announced.
func Acquired(id ID) {
	s, me := self()
	h := s.find(me).have(id)
	h.waiting, h.since = false, time.Since(start)
	s.mu.Unlock()
}

// Try comes before an attempt that does not wait.
func Try(r Rank, id ID, m Mode) {
	s, me := self()
	if kind, with := s.find(me).forbids(r, id, false); with != nil {
		s.fail(kind, "tries", r, id, m, with)
	}
	s.mu.Unlock()
}

// Tried comes after the attempt that Try announced; got says how it ended.
func Tried(r Rank, id ID, m Mode, got bool) {
	if !got {
		return
	}
	s, me := self()
	s.enter(me).push(r, id, m, false, 1)
	s.mu.Unlock()
}

// Release comes before a lock is given back.
func Release(r Rank, id ID, m Mode) {
	s, me := self()
	g := s.find(me)
	h := g.have(id)
	if h == nil || h.waiting || h.mode != m {
		s.fail(Stranger, "gives back", r, id, m, h)
	}
	noteLongest(h, time.Since(start)-h.since)
	g.drop(h)
	s.mu.Unlock()
}

// AssertHeld wants the caller to hold a lock, for writing if m is Write.
func AssertHeld(r Rank, id ID, m Mode) {
	s, me := self()
	if h := s.find(me).have(id); h == nil || h.waiting || h.mode != m && m == Write {
		s.fail(Unheld, "needs", r, id, m, h)
	}
	s.mu.Unlock()
}

// AssertNoneHeld wants the caller to hold no lock of rank outermost or of those
// within it.
func AssertNoneHeld(outermost Rank) {
	s, me := self()
	if g := s.find(me); g != nil {
		for i := range g.n {
			if h := &g.holds[i]; h.rank >= outermost {
				s.fail(Leak, "ends with", h.rank, h.id, h.mode, nil)
			}
		}
	}
	s.mu.Unlock()
}

// forbids names the rule by which g may not take a lock, and the one of its
// locks that the rule is about; nil: it may.
func (g *goroutine) forbids(r Rank, id ID, wait bool) (Kind, *hold) {
	if g == nil {
		return 0, nil
	}
	if h := g.have(id); h != nil {
		return Recursion, h
	}
	for i := range g.n {
		if h := &g.holds[i]; h.rank == r {
			return Second, h
		}
	}
	for i := range g.n {
		if h := &g.holds[i]; wait && h.rank > r {
			return Order, h
		}
	}
	return 0, nil
}
