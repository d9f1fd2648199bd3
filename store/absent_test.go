package store

import (
	"bytes"
	"errors"
	"slices"
	"syscall"
	"testing"

	"uzram/internal/offheap"
)

// newBackedHeldDevice is a device with pages of all kinds in memory and, the first
// half of them, on a backing device of that many blocks.
func newBackedHeldDevice(t *testing.T, blocks int) (*Device, *Workers, *testVault, []byte) {
	t.Helper()
	d, w, v := newHeldDevice(t, 1)
	d.openFile = func(string) (Backing, error) { return heldBacking{newMemBacking(blocks)}, nil }
	if err := errors.Join(d.SetBackingDev("/memory"), d.SetWritebackChecksum(true)); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", 4*pageKinds)
	disk := fillDisk(t, d, w.Scratch(0), newRand(t))
	mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{0, 2*pageKinds - 1}}})
	return d, w, v, disk
}

// A process that cannot have the backing device gives errors for what lies there,
// and forgets nothing of it: the next process that has it finds it all.
func TestTakeOverWithoutBackingDevice(t *testing.T) {
	d, w, v, disk := newBackedHeldDevice(t, 64)
	s, out := w.Scratch(0), d.Stats().BackingUsed
	b := d.backing.(heldBacking).memBacking
	for range 2 { // the second time from one that had none itself
		c, err := leave(v, d)
		if err != nil {
			t.Fatal(err)
		}
		next, nv, err := c.successor(w)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := retire(next, nv); err != nil {
				t.Error(err)
			}
		})
		if a := next.Adoption(); a.Lost != 0 || len(a.Findings) != 1 || next.BackingDev() != "/memory" {
			t.Errorf("%+v, backing device %q", a, next.BackingDev())
		}
		if st := next.Stats(); st.BackingUsed != out || st.BackingBlocks != 64 || next.backing.Size() != 64*PageSize {
			t.Errorf("%d of %d blocks are in use, want %d of 64", st.BackingUsed, st.BackingBlocks, out)
		}
		if !slices.Contains(nv.names(), "1.seals") {
			t.Errorf("held are %q", nv.names())
		}
		check(t, next)
		half := len(disk) / 2
		page := make([]byte, PageSize)
		for i := range len(disk) / PageSize {
			_, err := next.ReadAt(s, page, int64(i)*PageSize)
			switch block := next.live.Load().table.load(uint64(i)).kind() == kindBlock; {
			case block && !errors.Is(err, ErrBacking):
				t.Errorf("page %d, out of reach: %v", i, err)
			case !block && (err != nil || !bytes.Equal(page, disk[i*PageSize:][:PageSize])):
				t.Errorf("page %d: %v", i, err)
			}
		}
		_, err = next.Writeback(WritebackRequest{Pages: []PageRange{{uint64(half / PageSize), uint64(len(disk)/PageSize - 1)}}})
		wantErrno(t, "writeback", err, syscall.ENXIO)
		copy(page, disk[textPage*PageSize:])
		page[0]++
		copy(disk[textPage*PageSize:], page)
		mustWrite(t, next, s, page, textPage*PageSize)
		out = next.Stats().BackingUsed
		check(t, next)
		d, v = next, nv
	}
	c, err := leave(v, d)
	if err != nil {
		t.Fatal(err)
	}
	c.file = b.clone()
	next, nv, err := c.successor(w)
	if err != nil {
		t.Fatal(err)
	}
	if a := next.Adoption(); a.Lost != 0 || len(a.Findings) != 0 {
		t.Errorf("%+v", a)
	}
	wantDisk(t, next, s, disk)
	check(t, next)
	if err := retire(next, nv); err != nil {
		t.Error(err)
	}
}

// A backing device has as many blocks as when it was taken, whether it has grown
// or shrunk when somebody takes over: what lies behind its end now may be there
// again later.
func TestTakeOverOfABackingDeviceOfAnotherSize(t *testing.T) {
	for _, blocks := range []int{4, 600 + 100*reachStep/64} {
		d, w, v, disk := newBackedHeldDevice(t, 600)
		c, err := leave(v, d)
		if err != nil {
			t.Fatal(err)
		}
		b := d.backing.(heldBacking).clone()
		whole := b.data
		b.data = slices.Concat(whole, make([]byte, 100*reachStep*PageSize/64))[:blocks*PageSize]
		c.file = b
		next, nv, err := c.successor(w)
		if err != nil {
			t.Fatal(err)
		}
		if a := next.Adoption(); a.Lost != 0 || next.Stats().BackingBlocks != 600 {
			t.Errorf("%d blocks, before it were 600; %+v", next.Stats().BackingBlocks, a)
		}
		b.data = whole
		wantDisk(t, next, w.Scratch(0), disk)
		check(t, next)
		if err := retire(next, nv); err != nil {
			t.Error(err)
		}
	}
}

// A word that names a block, where there never was a backing device, names nothing.
func TestBlockWithoutBackingDevice(t *testing.T) {
	d, w, v := newHeldDevice(t, 1)
	setUp(t, d, "lz4", 4)
	s := w.Scratch(0)
	mustWrite(t, d, s, pageOf(newRand(t), textPage), PageSize)
	c, err := leave(v, d)
	if err != nil {
		t.Fatal(err)
	}
	word := &offheap.View[slot](c.arenas["1.slots"], 4)[1].word
	word.Store(uint64(blockEntry(entry(word.Load()), 0, PageSize)))
	next, nv, err := c.successor(w)
	if err != nil {
		t.Fatal(err)
	}
	if a := next.Adoption(); a.Lost != 1 || len(a.Findings) != 1 {
		t.Errorf("%+v", a)
	}
	check(t, next)
	if err := retire(next, nv); err != nil {
		t.Error(err)
	}
}

// A record that names a backing device and not how large it is, is damaged.
func TestRecordOfABackingDeviceWithoutSize(t *testing.T) {
	for _, blocks := range []uint64{0, 1 << 60} {
		s := defaultSettings()
		s.backing, s.blocks = "/memory", blocks
		r := s.record()
		_, err := r.settings()
		wantErrno(t, "no blocks", err, syscall.EINVAL)
	}
}
