//go:build !race

package alloc

import (
	"syscall"
	"testing"

	"uzram/internal/offheap"
)

// The way that a descriptor takes: the pool that filled the arena is gone, and
// only a copy of its descriptor is left.
func TestAdoptByDescriptor(t *testing.T) {
	p, err := New(500, 1<<30, 1)
	if err != nil {
		t.Fatal(err)
	}
	o := &owners{pool: p, slot: make([]ownerSlot, 500)}
	for i := range o.slot {
		o.store(t, i, 1+i*8, byte(i))
	}
	fd, err := syscall.Dup(p.Arena().FD())
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	arena, err := offheap.Open(fd, offheap.PoolData)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Adopt(arena, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range o.slot {
		if err := a.Claim(uint64(i), o.slot[i].handle, o.slot[i].size); err != nil {
			t.Fatal(err)
		}
	}
	o.pool = finish(t, a)
	o.checkAll(t)
}
