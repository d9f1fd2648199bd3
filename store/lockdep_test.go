//go:build invariants || race

package store

import (
	"strings"
	"testing"
	"time"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/lockdep"
	"uzram/internal/park"
)

func wantViolation(t testing.TB, what string, want lockdep.Kind, f func()) {
	t.Helper()
	if v := lockdep.Provoke(f); v == nil || v.Kind != want {
		t.Errorf("%s: %v, want %v", what, v, want)
	}
}

// calling is a stream that calls back in the midst of its work.
type calling struct {
	compress.Stream
	compressing, decompressing func()
}

func (c *calling) Compress(dst, page []byte) (int, error) {
	c.compressing()
	return c.Stream.Compress(dst, page)
}

func (c *calling) Decompress(page, src []byte) error {
	c.decompressing()
	return c.Stream.Decompress(page, src)
}

// newCalling is a device whose worker 0 has a calling stream, with text on its
// pages.
func newCalling(t *testing.T, workers, pages int) (*Device, *Workers, *calling) {
	d, w := newDevice(t, workers, pages)
	page := make([]byte, PageSize)
	rng := newRand(t)
	for i := range int64(pages) {
		fillPage(rng, textPage, page)
		mustWrite(t, d, w.Scratch(0), page, i*PageSize)
	}
	streams := d.live.Load().streams
	c := &calling{Stream: streams[0], compressing: func() {}, decompressing: func() {}}
	streams[0] = c
	t.Cleanup(func() { c.compressing, c.decompressing = func() {}, func() {} })
	return d, w, c
}

// A codec runs with its page's slot locked when it decompresses: whatever it
// wants of the device then is one lock too many.
func TestCodecThatCallsBack(t *testing.T) {
	d, w, codec := newCalling(t, 2, 4)
	s, other, page := w.Scratch(0), w.Scratch(1), make([]byte, PageSize)
	for _, c := range []struct {
		what string
		want lockdep.Kind
		call func()
	}{
		{"read of another page", lockdep.Second, func() { d.ReadAt(other, page, PageSize) }},
		{"read of the same page", lockdep.Recursion, func() { d.ReadAt(other, page, 0) }},
		{"write to another page", lockdep.Second, func() { d.WriteAt(other, page[:100], PageSize) }},
		{"discard of the same page", lockdep.Recursion, func() { d.Discard(other, 0, PageSize) }},
		{"free hint for another page", lockdep.Second, func() { d.FreeHint(other, 1) }},
		{"settings", lockdep.Order, func() { d.Algorithm() }},
		{"open", lockdep.Order, func() { d.Open() }},
		{"check", lockdep.Order, func() { d.Check() }},
		{"pass", lockdep.Order, func() { d.live.Load().passMu.Lock() }},
		{"request while I/O is held up", lockdep.Order, func() { other.enterHeld(d) }},
		{"another scratch", lockdep.Order, func() { w.AsVerb(func(*Scratch) {}) }},
	} {
		calls := 0
		codec.decompressing = func() {
			calls++
			wantViolation(t, c.what, c.want, c.call)
			other.inside.Store(0) // its request is no more
		}
		mustRead(t, d, s, make([]byte, PageSize), 0)
		mustWrite(t, d, s, []byte("a part of a page"), 100)
		if calls != 2 {
			t.Errorf("%s: decompressed %d times, want 2", c.what, calls)
		}
	}
	codec.decompressing = func() {}
	// A whole page is compressed with nothing locked.
	calls := 0
	codec.compressing = func() {
		calls++
		mustRead(t, d, other, page, 0)
		d.Algorithm()
	}
	fillPage(newRand(t), textPage, page)
	mustWrite(t, d, s, append([]byte(nil), page...), 0)
	if calls != 1 {
		t.Errorf("compressed %d times, want 1", calls)
	}
}

func TestSlotUnlockedByAnother(t *testing.T) {
	d, w := newDevice(t, 1, 2)
	tab, s := d.live.Load().table, w.Scratch(0)
	for _, c := range []struct {
		what                          string
		lock, unlock, another, unlike func()
	}{
		{"write", func() { tab.lock(1, s.waiter) }, func() { tab.unlock(1) }, func() { tab.unlock(0) }, func() { tab.runlock(1) }},
		{"read", func() { tab.rlock(1, s.waiter) }, func() { tab.runlock(1) }, func() { tab.runlock(0) }, func() { tab.unlock(1) }},
		{"try", func() { tab.tryLock(1) }, func() { tab.unlock(1) }, func() { tab.unlock(0) }, func() { tab.runlock(1) }},
	} {
		c.lock()
		done := make(chan struct{})
		go func() {
			defer close(done)
			wantViolation(t, c.what+": by another goroutine", lockdep.Stranger, c.unlock)
		}()
		<-done
		wantViolation(t, c.what+": of another slot", lockdep.Stranger, c.another)
		wantViolation(t, c.what+": in the other mode", lockdep.Stranger, c.unlike)
		c.unlock()
		wantViolation(t, c.what+": twice", lockdep.Stranger, c.unlock)
	}
}

// A reader may not become the writer by locking again, nor commit.
func TestUpgradeAndCommit(t *testing.T) {
	d, w := newDevice(t, 1, 2)
	tab, s := d.live.Load().table, w.Scratch(0)
	wantViolation(t, "commit without lock", lockdep.Unheld, func() { tab.commit(0, 0, 0) })
	tab.rlock(0, s.waiter)
	wantViolation(t, "upgrade", lockdep.Recursion, func() { tab.lock(0, s.waiter) })
	wantViolation(t, "tried upgrade", lockdep.Recursion, func() { tab.tryLock(0) })
	wantViolation(t, "commit by a reader", lockdep.Unheld, func() { tab.commit(0, 0, 0) })
	tab.runlock(0)
}

// Slots come before size classes: a mover that waits for one would deadlock
// with a request that frees the slot's object. The true one tries, which is
// legal.
func TestMoverThatWaits(t *testing.T) {
	const pages = 256
	d, w := newDevice(t, 1, pages)
	s, page := w.Scratch(0), make([]byte, PageSize)
	rng := newRand(t)
	for i := range int64(pages) {
		fillPage(rng, textPage, page)
		mustWrite(t, d, s, page, i*PageSize)
	}
	for i := range int64(pages) {
		if i%8 != 0 {
			d.Discard(s, i*PageSize, PageSize)
		}
	}
	l := d.live.Load()
	m := &waitingMover{t: t, table: l.table, waiter: park.NewWaiter()}
	l.pool.Compact(m)
	if m.calls == 0 {
		t.Error("nothing to move")
	}
	if err := d.Compact(); err != nil || d.Stats().PagesCompacted == 0 {
		t.Errorf("%d pages compacted, %v", d.Stats().PagesCompacted, err)
	}
}

type waitingMover struct {
	t      *testing.T
	table  *table
	waiter *park.Waiter
	calls  int
}

func (m *waitingMover) Move(owner uint64, _, _ alloc.Handle) bool {
	m.calls++
	wantViolation(m.t, "wait for a slot", lockdep.Order, func() { m.table.lock(owner, m.waiter) })
	return false
}

func TestLocksLeftBehind(t *testing.T) {
	d, w := newDevice(t, 1, 2)
	s := w.Scratch(0)
	l := s.enter(d)
	l.table.rlock(1, s.waiter)
	wantViolation(t, "request", lockdep.Leak, func() { s.leave(l) })
	l.table.runlock(1)
	s.leave(l)

	wantViolation(t, "verb", lockdep.Leak, func() {
		d.withLive(func(l *live) error {
			l.passMu.Lock()
			return nil
		})
	})
	l.passMu.Unlock()
}

// A codec that sleeps with a slot locked breaks no rule, and is remembered.
func TestLongestHoldOfASlot(t *testing.T) {
	d, w, codec := newCalling(t, 1, 1)
	slot := func() (h lockdep.LongestHold) {
		for _, h := range lockdep.Longest() {
			if h.Rank == lockdep.Slot {
				return h
			}
		}
		return h
	}
	nap := slot().Took + 10*time.Millisecond
	codec.decompressing = func() { time.Sleep(nap) }
	mustRead(t, d, w.Scratch(0), make([]byte, PageSize), 0)
	if h := slot(); h.Took < nap || h.Mode != lockdep.Read || !strings.Contains(h.Callers(), "store.(*live).readPage") {
		t.Errorf("a nap of %v: longest hold %v (%v) by %s", nap, h.Took, h.Mode, h.Callers())
	}
}
