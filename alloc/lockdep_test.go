//go:build invariants || race

package alloc

import (
	"testing"

	"uzram/internal/lockdep"
)

func wantViolation(t testing.TB, what string, want lockdep.Kind, f func()) {
	t.Helper()
	if v := lockdep.Provoke(f); v == nil || v.Kind != want {
		t.Errorf("%s: %v, want %v", what, v, want)
	}
}

// meddler is a Mover that calls the pool, which it must not.
type meddler struct {
	t     *testing.T
	pool  *Pool
	calls int
}

func (m *meddler) Move(_ uint64, from, _ Handle) bool {
	m.calls++
	wantViolation(m.t, "freeing while moving", lockdep.Recursion, func() { m.pool.Free(NoWorker, from) })
	wantViolation(m.t, "allocating while moving", lockdep.Second, func() { m.pool.Alloc(NoWorker, 2000, 0) })
	return false
}

func TestLocksOfThePool(t *testing.T) {
	const objects = 400
	p, o := newPool(t, objects)
	for i := range objects {
		o.storeAs(t, NoWorker, i, 100, 1)
	}
	for i := range objects {
		if i%8 != 0 {
			p.Free(NoWorker, o.slot[i].handle)
		}
	}
	m := &meddler{t: t, pool: p}
	p.Compact(m)
	if m.calls == 0 {
		t.Error("nothing to move")
	}

	c := p.byIndex[sizeIndex(100)]
	c.mu.Lock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		wantViolation(t, "another's class", lockdep.Stranger, c.mu.Unlock)
	}()
	<-done
	c.mu.Unlock()

	p.runs.mu.Lock()
	wantViolation(t, "class after runs", lockdep.Order, func() { p.Freeable() })
	wantViolation(t, "runs twice", lockdep.Recursion, func() { p.runs.end() })
	p.runs.mu.Unlock()
	lockdep.AssertNoneHeld(lockdep.Settings)
}
