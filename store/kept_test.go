//go:build invariants || race

package store

import (
	"errors"
	"io"
	"sync/atomic"
	"syscall"
	"testing"

	"uzram/internal/offheap"
	"uzram/internal/snapshot"
)

// asksOf is how often f asks for memory.
func asksOf(f func()) int {
	var asked atomic.Int64
	offheap.InjectShortage(func(offheap.Purpose) error {
		asked.Add(1)
		return nil
	})
	f()
	offheap.InjectShortage(nil)
	return int(asked.Load())
}

// Memory for the bits is asked for in ranges, and only for what has none.
func TestBitsOfASnapshotHaveMemoryInRanges(t *testing.T) {
	const pages, perPage = 40, slotsPerDone / slotsPerTouch
	k := new(kept)
	const slots = pages*slotsPerDone - 5
	if err := k.open(slots); err != nil {
		t.Fatal(err)
	}
	defer k.close()
	touched := &table{touched: make([]atomic.Uint64, pages*perPage/64)}
	touch := func(from, to, step int) {
		for page := from; page < to; page++ {
			for p := page * perPage; p < (page+1)*perPage; p += step {
				touched.touched[p/64].Or(1 << (p % 64))
			}
		}
	}
	had := uint64(0)
	for _, c := range []struct {
		what  string
		touch func()
		asks  int
		pages uint64
	}{
		{"nothing", func() {}, 0, 0},
		{"two stretches", func() { touch(0, 10, 1); touch(20, 30, perPage-1) }, 2, 20},
		{"the same", func() { touch(0, 10, 1) }, 0, 0},
		{"beside these, and the last", func() { touch(10, 12, perPage); touch(39, 40, 1) }, 2, 3},
		{"between", func() { touch(0, 40, 7) }, 2, 17},
	} {
		c.touch()
		var err error
		asks := asksOf(func() { err = k.backDone(touched) })
		had += c.pages
		if err != nil || asks != c.asks || k.doneArena.Resident() != (had+1)*PageSize {
			t.Errorf("%s: asked %d times, want %d; %d bytes have memory, want %d pages; %v",
				c.what, asks, c.asks, k.doneArena.Resident(), had+1, err)
		}
	}
}

// While I/O is held up a snapshot asks for the memory only of what was touched
// since it looked: of a quiet disk, for none.
func TestMomentOfASnapshotAsksForNoMemory(t *testing.T) {
	const pages = 2*slotsPerDone - 1
	d, w := newDevice(t, 1, pages)
	s, page := w.Scratch(0), pageOf(newRand(t), inlinePage)
	for i := int64(0); i < pages; i += slotsPerDone / 4 {
		mustWrite(t, d, s, page, i*PageSize)
	}
	var before, held int
	offheap.InjectShortage(func(offheap.Purpose) error {
		if d.serving.Load() == nil {
			held++
		} else {
			before++
		}
		return nil
	})
	defer offheap.InjectShortage(nil)
	mustSnapshot(t, d)
	if before == 0 || held != 0 {
		t.Errorf("asked %d times before, and %d times while I/O was held up", before, held)
	}
}

// Where there is none for what was touched meanwhile, there is no snapshot.
func TestShortageAtTheMomentOfASnapshot(t *testing.T) {
	d, w := newDevice(t, 1, 2*slotsPerDone)
	s, page := w.Scratch(0), pageOf(newRand(t), inlinePage)
	r, err := newSnapshotRun(d.live.Load())
	if err != nil {
		t.Fatal(err)
	}
	defer r.close()
	if err := r.backDone(r.table); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, d, s, page, slotsPerDone*PageSize)
	failFrom(t, 0)
	wantErrno(t, "the moment", r.moment(d, new(snapshot.Head)), syscall.ENOMEM)
	offheap.InjectShortage(nil)
	if d.live.Load().snapshot.Load() != nil {
		t.Error("changes are noted all the same")
	}
}

// Memory runs out at each point of getting ready to save a disk with a backing
// device.
func TestShortageBeforeASnapshotOfBlocks(t *testing.T) {
	d, w, _ := newBackedDevice(t, 1, 8, 64, false)
	disk := fillDisk(t, d, w.Scratch(0), newRand(t))
	mustWriteback(t, d, everyPage(8))
	for n := int64(0); ; n++ {
		failFrom(t, n)
		err := d.Snapshot("", io.Discard, noAbort)
		offheap.InjectShortage(nil)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.ENOMEM) || n > 100 {
			t.Fatalf("after %d requests for memory: %v", n, err)
		}
	}
	wantDisk(t, d, w.Scratch(0), disk)
	check(t, d)
}
