//go:build invariants || race

package alloc

import (
	"errors"
	"syscall"
	"testing"

	"uzram/internal/offheap"
)

// Whatever step of an adoption finds no memory, it says so, and the arena is as
// good as before.
func TestAdoptionWithoutMemory(t *testing.T) {
	p, o := newPool(t, 100)
	for i := range o.slot {
		o.store(t, i, 10+i%2*1000, byte(i))
	}
	twin, err := p.Arena().Copy()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { offheap.InjectShortage(nil) })
	for limit := 0; ; limit++ {
		asked := 0
		offheap.InjectShortage(func(offheap.Purpose) error {
			if asked++; asked > limit {
				return syscall.ENOMEM
			}
			return nil
		})
		q, step, err := adoptAll(twin, o)
		offheap.InjectShortage(nil)
		if err == nil {
			defer q.Close()
			check(t, q)
			if limit < 8 {
				t.Errorf("an adoption asked for memory %d times only", limit)
			}
			return
		}
		if !errors.Is(err, syscall.ENOMEM) || errors.Is(err, syscall.EIO) {
			t.Errorf("no memory after %d requests: %v, want ENOMEM", limit, err)
		}
		if step != "adopt" { // it took the arena
			if twin, err = p.Arena().Copy(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func adoptAll(arena *offheap.Arena, o *owners) (p *Pool, step string, err error) {
	a, err := Adopt(arena, 4)
	if err != nil {
		return nil, "adopt", err
	}
	for i := range o.slot {
		s := &o.slot[i]
		if err := a.Claim(uint64(i), s.handle, s.size); err != nil {
			a.Abandon()
			return nil, "claim", err
		}
	}
	p, err = a.Finish()
	return p, "finish", err
}
