package store

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"syscall"
	"testing"

	"uzram/internal/snapshot"
)

// TestTakeOverWhileSaving: what is kept for a snapshot is nobody's after a
// take-over, and free.
func TestTakeOverWhileSaving(t *testing.T) {
	const pages = 1200
	d, w, v := newHeldDevice(t, 1)
	setUp(t, d, "lz4", pages)
	s, rng := w.Scratch(0), newRand(t)
	data := make([]byte, pages*PageSize)
	write := func() {
		for i := range pages {
			page := data[i*PageSize:][:PageSize]
			fillPage(rng, oddElementPage+i%4, page)
			mustWrite(t, d, s, page, int64(i)*PageSize)
		}
	}
	write()
	sections := 0
	out := writerFunc(func(p []byte) (int, error) {
		if sections++; sections == 3 {
			write()
			if d.live.Load().snapshot.Load().top == 0 {
				t.Error("nothing is kept")
			}
			next := takenOver(t, d, newWorkers(t, 1), v)
			check(t, next)
			got := make([]byte, len(data))
			mustRead(t, next, next.workers.Scratch(0), got, 0)
			if !bytes.Equal(got, data) {
				t.Error("the pages are not those written last")
			}
		}
		return len(p), nil
	})
	if err := d.Snapshot("", out, noAbort); err != nil || sections < 4 {
		t.Errorf("%d sections, %v", sections, err)
	}
	check(t, d)
}

// TestTakeOverOfARestore: before the end of a snapshot has come a successor finds
// no disk, and all of it afterwards.
func TestTakeOverOfARestore(t *testing.T) {
	file := snapshotOf(t, nil)
	d, w, v := newHeldDevice(t, 2, wrappedCodecs()...)
	in := io.MultiReader(bytes.NewReader(file), readerFunc(func([]byte) (int, error) {
		if next := takenOver(t, d, newWorkers(t, 1), v, wrappedCodecs()...); next.Initialised() {
			t.Error("a successor finds a disk that is not whole")
		}
		return 0, io.EOF
	}))
	if err := d.Restore(in, func() {}); err != nil {
		t.Fatal(err)
	}
	next := takenOver(t, d, newWorkers(t, 1), v, wrappedCodecs()...)
	check(t, next)
	if a, b := next.Stats(), d.Stats(); countsOf(a) != countsOf(b) || !slices.Equal(states(t, next), states(t, d)) {
		t.Errorf("figures\n%+v, were\n%+v", a, b)
	}
	a, b := make([]byte, 64*PageSize), make([]byte, 64*PageSize)
	mustRead(t, d, w.Scratch(0), a, 0)
	mustRead(t, next, next.workers.Scratch(0), b, 0)
	if !bytes.Equal(a, b) {
		t.Error("the pages differ")
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestRestoreThatIsNotKept: a vault that takes nothing leaves no disk.
func TestRestoreThatIsNotKept(t *testing.T) {
	d, _, v := newHeldDevice(t, 1, wrappedCodecs()...)
	broken := errors.New("broken")
	file := headed(t, nil, snapshot.Page{Slot: 1, Kind: snapshot.Same, Data: make([]byte, 8)})
	for _, name := range []string{"1.slots", "1.pool"} {
		v.fail = func(n string) error {
			if n == testPrefix+name {
				return broken
			}
			return nil
		}
		if err := d.Restore(bytes.NewReader(file), func() {}); !errors.Is(err, broken) || d.Initialised() {
			t.Errorf("%s: %v, set up: %v", name, err, d.Initialised())
		}
		wantNames(t, v, "state")
	}
	d.openFile = func(string) (Backing, error) { return heldBacking{newMemBacking(8)}, nil }
	backed := headed(t, func(h *snapshot.Head) { h.Writeback.BackingDev = "/memory" })
	v.fail = func(string) error { return broken }
	if err := d.Restore(bytes.NewReader(backed), func() {}); !errors.Is(err, broken) || d.BackingDev() != "" {
		t.Errorf("the backing device: %v, it is %q", err, d.BackingDev())
	}
	v.fail = nil
	long := headed(t, func(h *snapshot.Head) { h.Algorithms[0].Dict = make([]byte, 450<<10) })
	if err := d.Restore(bytes.NewReader(long), func() {}); !errors.Is(err, syscall.E2BIG) || d.Initialised() {
		t.Errorf("settings that are too long to keep: %v", err)
	}
	wantNames(t, v, "state")
	if err := d.Restore(bytes.NewReader(file), func() {}); err != nil {
		t.Error(err)
	}
}
