//go:build invariants || race

package alloc

import "testing"

func TestDoubleFreePanics(t *testing.T) {
	for _, size := range []int{700, PageSize} {
		p, o := newPool(t, 10)
		o.store(t, 0, size, 1)
		o.store(t, 1, size, 1) // keeps a zspage of small objects from going
		h := o.slot[0].handle
		p.Free(0, h)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("size %d: a second free went unseen", size)
				}
			}()
			p.Free(0, h)
		}()
	}
}
