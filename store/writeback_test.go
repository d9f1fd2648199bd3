package store

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"syscall"
	"testing"
)

// everyPage is all of a disk of n pages.
func everyPage(n int) WritebackRequest {
	return WritebackRequest{Pages: []PageRange{{0, uint64(n) - 1}}}
}

// Every page comes back, from the backing device for as long as it is there.
func TestWriteback(t *testing.T) {
	for _, compressed := range []bool{false, true} {
		t.Run(fmt.Sprintf("compressed=%v", compressed), func(t *testing.T) {
			const pages = 3 * slotsPerStretch
			d, w, _ := newBackedDevice(t, 2, pages, pages, compressed)
			s, rng := w.Scratch(0), newRand(t)
			disk := make([]byte, pages*PageSize)
			for i := range pages {
				fillPage(rng, rng.IntN(pageKinds), disk[i*PageSize:][:PageSize])
			}
			mustWrite(t, d, s, disk, 0)
			before := d.Stats()
			r := mustWriteback(t, d, everyPage(pages))
			st := d.Stats()
			objects := uint64(pages) - st.SamePages
			if want := (WritebackResult{Tried: objects, Written: objects, Freed: before.ComprDataSize, Blocks: objects}); r != want {
				t.Errorf("%+v, want %+v", r, want)
			}
			if st.OrigDataSize != before.OrigDataSize || st.ComprDataSize != 0 || st.MemUsedTotal != 0 || st.HugePages != 0 ||
				st.HugePagesSince != before.HugePagesSince || st.BackingUsed != objects || st.BackingWrites != objects || st.BackingReads != 0 {
				t.Errorf("figures from %+v to %+v", before, st)
			}
			check(t, d)
			got := make([]byte, len(disk))
			for id := range w.Len() {
				if mustRead(t, d, w.Scratch(id), got, 0); !bytes.Equal(got, disk) {
					t.Errorf("worker %d reads something else", id)
				}
			}
			if st := d.Stats(); st.BackingReads != objects*uint64(w.Len()) {
				t.Errorf("%d blocks read, want %d", st.BackingReads, objects*uint64(w.Len()))
			}
			if r := mustWriteback(t, d, everyPage(pages)); r != (WritebackResult{}) {
				t.Errorf("a second time: %+v", r)
			}

			// A part is replaced, which brings the page back into memory; a whole page,
			// a discard and a hint give their blocks back.
			kept := objects
			for i := range 16 {
				if _, same := sameFilled(disk[i*PageSize:][:PageSize]); !same && (i < 2 || i >= 5) {
					kept--
				}
			}
			mustWrite(t, d, s, []byte("part"), 100)
			copy(disk[100:], "part")
			mustWrite(t, d, s, disk[2*PageSize:3*PageSize], PageSize)
			copy(disk[PageSize:], disk[2*PageSize:3*PageSize])
			if err := d.Discard(s, 5*PageSize, 10*PageSize); err != nil {
				t.Fatal(err)
			}
			clear(disk[5*PageSize : 15*PageSize])
			if !d.FreeHint(s, 15) {
				t.Error("a hint was given up")
			}
			clear(disk[15*PageSize : 16*PageSize])
			check(t, d)
			if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
				t.Error("the disk differs after changes")
			}
			if used := d.Stats().BackingUsed; used != kept {
				t.Errorf("%d blocks are in use after changes, want %d of %d", used, kept, objects)
			}
		})
	}
}

func TestWritebackSelects(t *testing.T) {
	const fresh = "h . h . s ."
	for _, c := range []struct {
		name    string
		request WritebackRequest
		want    string
	}{
		{"nothing", WritebackRequest{}, "h i hin i s ."},
		{"idle", WritebackRequest{Idle: true}, "h w whn w s ."},
		{"huge", WritebackRequest{Huge: true}, "wh i whn i s ."},
		{"huge and idle", WritebackRequest{Huge: true, Idle: true}, "h i whn i s ."},
		{"incompressible", WritebackRequest{Incompressible: true}, "h i whn i s ."},
		{"pages", WritebackRequest{Pages: []PageRange{{3, 5}, {0, 0}, {4, 4}}}, "wh i hin w s w"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, w, _ := newBackedDevice(t, 1, 6, 6, false)
			s, rng := w.Scratch(0), newRand(t)
			for i, kind := range []int{randomPage, textPage, randomPage, textPage, zeroPage, textPage} {
				mustWrite(t, d, s, pageOf(rng, kind), int64(i)*PageSize)
			}
			if got := flagsOf(t, d); got != fresh {
				t.Fatalf("flags are %s before, want %s", got, fresh)
			}
			slots := d.live.Load().table.slots
			slots[2].word.Or(incompressibleBit)
			for _, i := range []int{1, 2, 3} {
				slots[i].aux.Or(idleMark)
			}
			mustWriteback(t, d, c.request)
			if got := flagsOf(t, d); got != c.want {
				t.Errorf("flags are %s, want %s", got, c.want)
			}
		})
	}
}

func TestWritebackWants(t *testing.T) {
	d, _ := newDeviceOn(t, 1, 0, "lz4")
	_, err := d.Writeback(WritebackRequest{Idle: true})
	wantErrno(t, "before set-up", err, syscall.EINVAL)
	setUp(t, d, "lz4", 1)
	_, err = d.Writeback(WritebackRequest{Idle: true})
	wantErrno(t, "without backing device", err, syscall.ENODEV)
	wantErrno(t, "a backing device after set-up", d.SetBackingDev("/memory"), syscall.EBUSY)
	wantErrno(t, "compressed writeback after set-up", d.SetCompressedWriteback(true), syscall.EBUSY)
	wantErrno(t, "a batch of none", d.SetWritebackBatch(0), syscall.EINVAL)

	d, w, _ := newBackedDevice(t, 1, 4, 4, false)
	mustWrite(t, d, w.Scratch(0), pageOf(newRand(t), textPage), 0)
	for _, bad := range []PageRange{{4, 4}, {0, 4}, {3, 1}, {1 << 63, 1 << 63}} {
		_, err := d.Writeback(WritebackRequest{Pages: []PageRange{{0, 0}, bad}})
		wantErrno(t, fmt.Sprint(bad), err, syscall.ERANGE)
	}
	if st := d.Stats(); st.BackingUsed != 0 {
		t.Errorf("%d blocks in use after requests that were refused", st.BackingUsed)
	}
}

// Of what the limit or the device does not hold, the largest and last go first.
func TestWritebackStops(t *testing.T) {
	for _, c := range []struct {
		name           string
		budget, blocks int // 0 = enough
		want           string
		err            error
		left           uint64
	}{
		{"limit", 3, 0, ". wh . wh . wh . .", ErrBudget, 0},
		{"limit of nothing", -1, 0, ". h . h . h . .", ErrBudget, 0},
		{"just enough", 8, 0, "w wh w wh w wh w w", nil, 0},
		{"full", 0, 4, ". wh . wh . wh . w", ErrBackingFull, 0},
		{"full before the limit", 6, 4, ". wh . wh . wh . w", ErrBackingFull, 2},
		{"limit before full", 4, 4, ". wh . wh . wh . w", ErrBudget, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			blocks := 8
			if c.blocks > 0 {
				blocks = c.blocks
			}
			d, w, _ := newBackedDevice(t, 1, 8, blocks, false)
			s, rng := w.Scratch(0), newRand(t)
			text := pageOf(rng, textPage)
			for i := range int64(8) {
				page := text
				if i%2 == 1 && i < 7 {
					page = pageOf(rng, randomPage)
				}
				mustWrite(t, d, s, page, i*PageSize)
			}
			if c.budget != 0 {
				d.SetWritebackLimit(uint64(max(0, c.budget)))
				d.SetWritebackLimited(true)
			}
			if _, err := d.Writeback(everyPage(8)); !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
			if got := flagsOf(t, d); got != c.want {
				t.Errorf("flags are %s, want %s", got, c.want)
			}
			if left := d.WritebackLimit(); c.budget != 0 && left != c.left {
				t.Errorf("%d blocks are left of the limit, want %d", left, c.left)
			}
			if _, err := d.Writeback(WritebackRequest{Idle: true}); err != nil {
				t.Errorf("a run without work: %v", err)
			}
		})
	}
}

// A block that cannot be written costs neither its page nor the pages beside it,
// which go out one by one.
func TestWritebackFailures(t *testing.T) {
	const pages = 200
	d, w, b := newBackedDevice(t, 2, pages, pages, false)
	s, rng := w.Scratch(0), newRand(t)
	disk := make([]byte, pages*PageSize)
	for i := range pages {
		fillPage(rng, textPage+rng.IntN(3), disk[i*PageSize:][:PageSize])
	}
	mustWrite(t, d, s, disk, 0)
	d.SetWritebackLimit(pages)
	d.SetWritebackLimited(true)
	bad := func(block uint64) bool { return block%7 == 3 }
	b.fail = func(_ bool, block, n uint64) error {
		for k := range n {
			if bad(block + k) {
				return syscall.EREMOTEIO
			}
		}
		return nil
	}
	r, err := d.Writeback(everyPage(pages))
	wantErrno(t, "a run with failures", err, syscall.EREMOTEIO)
	failed := uint64(0)
	for block := range uint64(pages) {
		if bad(block) {
			failed++
		}
	}
	if r.Failed != failed || r.Written != pages-failed || r.Tried != pages {
		t.Errorf("%+v, want %d failures of %d", r, failed, pages)
	}
	if st := d.Stats(); st.BackingUsed != pages-failed || st.BackingWrites != pages-failed || d.WritebackLimit() != failed {
		t.Errorf("figures %+v, %d left of the limit", st, d.WritebackLimit())
	}
	check(t, d)
	got := make([]byte, len(disk))
	if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
		t.Error("the disk differs")
	}

	// A block that cannot be read is an error, and nothing else.
	b.fail = func(write bool, block, n uint64) error { return syscall.EIO }
	at := int64(0)
	for d.live.Load().table.load(uint64(at)).kind() != kindBlock {
		at++
	}
	if _, err := d.ReadAt(s, got[:PageSize], at*PageSize); !errors.Is(err, ErrBacking) {
		t.Errorf("a block that cannot be read: %v", err)
	}
	if _, err := d.WriteAt(s, []byte("part"), at*PageSize); !errors.Is(err, ErrBacking) {
		t.Errorf("a part of a page that cannot be read: %v", err)
	}
	b.fail = nil
	wantPage(t, d, s, at, disk[at*PageSize:][:PageSize])
}

// Whoever uses a page while it is written wins.
func TestWritebackIsOvertaken(t *testing.T) {
	for _, c := range []struct {
		name      string
		use       func(d *Device, s *Scratch, page []byte) // page is what slot 0 reads as afterwards
		overtaken uint64
	}{
		{"write", func(d *Device, s *Scratch, page []byte) {
			page[0]++
			d.WriteAt(s, page, 0)
		}, 1},
		{"part", func(d *Device, s *Scratch, page []byte) {
			page[7]++
			d.WriteAt(s, page[7:8], 7)
		}, 1},
		{"discard", func(d *Device, s *Scratch, page []byte) {
			clear(page)
			d.Discard(s, 0, PageSize)
		}, 1},
		{"read", func(d *Device, s *Scratch, page []byte) { d.ReadAt(s, make([]byte, PageSize), 0) }, 1},
		{"another page", func(d *Device, s *Scratch, page []byte) { d.WriteAt(s, page, PageSize) }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, w, b := newBackedDevice(t, 1, 2, 2, false)
			s, page := w.Scratch(0), pageOf(newRand(t), textPage)
			mustWrite(t, d, s, page, 0)
			b.writing = func(uint64, uint64) { c.use(d, s, page) }
			r := mustWriteback(t, d, everyPage(2))
			if want := (WritebackResult{Tried: 1, Written: 1 - c.overtaken, Overtaken: c.overtaken, Freed: r.Freed, Blocks: 1}); r != want {
				t.Errorf("%+v, want %+v", r, want)
			}
			if st := d.Stats(); st.BackingUsed != 1-c.overtaken || st.BackingWrites != 1 {
				t.Errorf("%d blocks in use, %d written", st.BackingUsed, st.BackingWrites)
			}
			check(t, d)
			wantPage(t, d, s, 0, page)
		})
	}
}

// The access time stays, so that ages go on counting.
func TestWritebackKeepsTimes(t *testing.T) {
	d, w, _ := newBackedDevice(t, 1, 1, 1, true)
	mustWrite(t, d, w.Scratch(0), pageOf(newRand(t), textPage), 0)
	slot := &d.live.Load().table.slots[0]
	slot.aux.Store(12345 | idleMark)
	mustWriteback(t, d, everyPage(1))
	if got := slot.aux.Load(); got != 12345 {
		t.Errorf("time and marks are %#x, want 12345", got)
	}
}

// A check sees blocks that nobody names, that two name, and that are free.
func TestCheckFindsBlocks(t *testing.T) {
	d, w, _ := newBackedDevice(t, 1, 4, 8, false)
	s, rng := w.Scratch(0), newRand(t)
	for i := range int64(4) {
		mustWrite(t, d, s, pageOf(rng, textPage), i*PageSize)
	}
	mustWriteback(t, d, everyPage(4))
	l := d.live.Load()
	for name, spoil := range map[string]func() (mend func()){
		"nobody": func() func() {
			l.backing.take(make([]uint64, 1))
			return func() { l.backing.give(4) }
		},
		"two": func() func() {
			old := l.table.slots[1].word.Swap(l.table.slots[0].word.Load())
			return func() { l.table.slots[1].word.Store(old) }
		},
		"free": func() func() {
			block := entry(l.table.slots[2].word.Load()).block()
			l.backing.give(block)
			return func() { l.backing.take(make([]uint64, 1)) }
		},
		"outside": func() func() {
			old := l.table.slots[3].word.Or(wasHugeBit - 1)
			return func() { l.table.slots[3].word.Store(old) }
		},
	} {
		mend := spoil()
		if r, err := d.Check(); err != nil || len(r.Findings) == 0 {
			t.Errorf("%s: nothing found, %v", name, err)
		}
		mend()
		check(t, d)
	}
}

func TestBackingBlocks(t *testing.T) {
	const blocks = 150
	b, err := newBacking(newMemBacking(blocks), blocks, &writebackSettings{state: newState(1)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.closeTables)
	take := func(n int) []uint64 {
		list, err := b.take(make([]uint64, n))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	if got := take(3); !reflect.DeepEqual(got, []uint64{0, 1, 2}) {
		t.Errorf("first blocks %v", got)
	}
	if got := take(blocks); len(got) != blocks-3 || got[len(got)-1] != blocks-1 || b.used.Load() != blocks {
		t.Errorf("%d further blocks, %d in use", len(got), b.used.Load())
	}
	if got := take(1); len(got) != 0 {
		t.Errorf("blocks %v of a full device", got)
	}
	for _, block := range []uint64{149, 64, 70, 5} {
		b.give(block)
	}
	if got := take(3); !reflect.DeepEqual(got, []uint64{5, 64, 70}) || !b.isTaken(5) || b.isTaken(149) || b.isTaken(blocks) {
		t.Errorf("blocks %v, want the lowest", got)
	}
	// As if a block below had come free while others were taken.
	b.first.Store(blocks)
	if got := take(2); !reflect.DeepEqual(got, []uint64{149}) {
		t.Errorf("blocks %v, want the one that is left", got)
	}
}

// Setting a backing device closes the one before, and a reset closes it.
func TestBackingIsClosed(t *testing.T) {
	d, _ := newDeviceOn(t, 1, 0, "lz4")
	var opened []*memBacking
	d.openFile = func(path string) (Backing, error) {
		if path == "/bad" {
			return nil, syscall.ENOTBLK
		}
		opened = append(opened, newMemBacking(1))
		return opened[len(opened)-1], nil
	}
	for range 2 {
		if err := d.SetBackingDev("/good"); err != nil {
			t.Fatal(err)
		}
	}
	wantErrno(t, "a bad one", d.SetBackingDev("/bad"), syscall.ENOTBLK)
	if !opened[0].closed || opened[1].closed || d.BackingDev() != "/memory" {
		t.Errorf("%d opened, path %q", len(opened), d.BackingDev())
	}
	d.openFile = func(string) (Backing, error) {
		setUp(t, d, "lz4", 1)
		opened = append(opened, newMemBacking(1))
		return opened[2], nil
	}
	wantErrno(t, "one that comes too late", d.SetBackingDev("/late"), syscall.EBUSY)
	if !opened[2].closed || opened[1].closed {
		t.Error("the wrong one was closed")
	}
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	if !opened[1].closed || d.BackingDev() != "" {
		t.Error("open after a reset")
	}
}
