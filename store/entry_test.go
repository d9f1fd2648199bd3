package store

import (
	"math/rand/v2"
	"testing"

	"uzram/alloc"
)

func TestObjectEntryRoundTrip(t *testing.T) {
	for _, h := range []alloc.Handle{1, 0x1234, 1<<alloc.HandleBits - 1} {
		for _, size := range []int{1, 3624, PageSize, 64 << 10} {
			e := objectEntry(h, size)
			if e.kind() != kindObject || e.handle() != h || e.size() != size || e.priority() != 0 || e.incompressible() {
				t.Errorf("handle %#x size %d came back as %#x %d (word %#x)", h, size, e.handle(), e.size(), uint64(e))
			}
			if m := e.moved(7); m.handle() != 7 || m.size() != size {
				t.Errorf("moved: %#x %d", m.handle(), m.size())
			}
		}
	}
}

func TestElementsInTheWord(t *testing.T) {
	for element, inline := range map[uint64]bool{
		0: true, 1: true, ^uint64(0): true, 1 << 58: true, ^uint64(1 << 58): true,
		0x5555555555555555: true, 0xdeadbeefdeadbeef: true, 0x7a7a7a7a7a7a7a7a: true,
		0x3132333435363738: false, 1 << 59: false, 1 << 63: false, 0xfff0f0f0fff0f0f1: true,
	} {
		e, ok := sameEntry(element)
		if ok != inline {
			t.Errorf("%#x: inline %v, want %v", element, ok, inline)
			continue
		}
		if !ok {
			continue
		}
		if got, elsewhere := e.element(); elsewhere || got != element || e.kind() != kindSame {
			t.Errorf("%#x came back as %#x", element, got)
		}
	}
	for range 100000 {
		element := rand.Uint64() >> rand.IntN(64)
		if e, ok := sameEntry(element); ok {
			if got, elsewhere := e.element(); elsewhere || got != element {
				t.Fatalf("%#x came back as %#x", element, got)
			}
		}
	}
}
