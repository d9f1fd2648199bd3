//go:build invariants || race

package store

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"uzram/internal/offheap"
)

// Memory runs out at each point of a snapshot in turn: it fails or is whole, and
// the disk goes on.
func TestShortageWhileSavingAndRestoring(t *testing.T) {
	const pages = 3000 // more than a page of notes
	d, w := newDevice(t, 1, pages)
	s, rng := w.Scratch(0), newRand(t)
	for i := range pages {
		mustWrite(t, d, s, pageOf(rng, oddElementPage+i%2), int64(i)*PageSize)
	}
	whole := 0
	for n := int64(0); whole < 3; n++ {
		failFrom(t, n)
		wrote := false
		out := writerFunc(func(p []byte) (int, error) {
			if !wrote {
				wrote = true
				for i := range pages { // these need no memory but for notes
					if err := d.Discard(s, int64(i)*PageSize, PageSize); err != nil {
						t.Error(err)
					}
				}
			}
			return len(p), nil
		})
		err := d.Snapshot("", out, noAbort)
		offheap.InjectShortage(nil)
		switch {
		case err == nil:
			whole++
		case !errors.Is(err, syscall.ENOMEM) && !errors.Is(err, ErrTooMuchChanged) || n > 1000:
			t.Fatalf("after %d requests for memory: %v", n, err)
		}
		check(t, d)
		for i := range pages {
			mustWrite(t, d, s, pageOf(rng, oddElementPage+i%2), int64(i)*PageSize)
		}
	}
	file := mustSnapshot(t, d)
	for n := int64(0); ; n = n*5/4 + 1 {
		again, _ := newDevice(t, 1, 0)
		failFrom(t, n)
		err := again.Restore(bytes.NewReader(file), func() {})
		offheap.InjectShortage(nil)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.ENOMEM) || again.Initialised() || n > 1e6 {
			t.Fatalf("after %d requests for memory: %v, set up: %v", n, err, again.Initialised())
		}
	}
	if err := d.Snapshot("", io.Discard, noAbort); err != nil {
		t.Error(err)
	}
}
