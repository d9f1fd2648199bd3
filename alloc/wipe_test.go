package alloc

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"uzram/internal/offheap"
)

// secrets is how often the memory behind the pool has what was stored with fill
// secret. An object of a few bytes does not count.
func (p *Pool) secrets() (n int) {
	for from, to := p.data.NextData(offheap.HeaderSize); from < to; from, to = p.data.NextData(to) {
		n += bytes.Count(p.mem[from:to], bytes.Repeat([]byte{secret}, 16))
	}
	return n
}

const secret = 0xa7

func newWipedPool(t *testing.T, objects int) *owners {
	t.Helper()
	p, err := New(uint64(objects), 1<<30, 4, Wiped)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return &owners{pool: p, slot: make([]ownerSlot, objects)}
}

// Nothing of what was freed or moved is left, in zspages that are in use either.
func TestWipedPoolForgets(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	o := newWipedPool(t, 1000)
	for i := range o.slot {
		o.store(t, i, 16+rng.IntN(PageSize-16), secret)
	}
	if o.pool.secrets() == 0 {
		t.Fatal("what is stored is not found: the test looks in the wrong place")
	}
	for i := range o.slot {
		if i%3 != 0 {
			o.drop(i)
		}
	}
	o.pool.Compact(o)
	for i := range o.slot {
		o.store(t, i, 16+rng.IntN(PageSize-16), 1)
	}
	if n := o.pool.secrets(); n != 0 {
		t.Errorf("%d times 16 bytes of what was freed are left", n)
	}
}

// What an ended process left that nobody names is zeroed before somebody can
// have it, at once and not only when all is settled.
func TestWipedPoolForgetsOverAnAdoption(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	o := newWipedPool(t, 2000)
	for i := range o.slot {
		fill := byte(secret)
		if i%3 == 0 {
			fill = 1
		}
		o.store(t, i, 16+rng.IntN(PageSize-16), fill)
	}
	for i := range o.slot {
		if i%3 != 0 {
			o.slot[i].handle = 0
		}
	}
	o = o.adopt(t, Wiped)
	for range 1500 {
		size := 16 + rng.IntN(PageSize-16)
		h, err := o.pool.Alloc(rng.IntN(5)-1, size, 1)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(o.pool.Bytes(h, size), []byte{secret, secret, secret, secret}) {
			t.Fatal("an object is handed out with what was in its place")
		}
	}
	o.pool.Settle()
	if n := o.pool.secrets(); n != 0 {
		t.Errorf("%d times 16 bytes of what nobody names are left", n)
	}
}
