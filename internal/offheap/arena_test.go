package offheap

import (
	"bytes"
	"errors"
	"syscall"
	"testing"
)

func newArena(t *testing.T, size uint64) *Arena {
	t.Helper()
	a, err := New(PoolData, size, 16)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestHeaderTellsWhatAnArenaHolds(t *testing.T) {
	a := newArena(t, 5000)
	h, ok := ReadHeader(a.Bytes())
	want := Header{Version: FormatVersion, Purpose: PoolData, Size: 3 * HeaderSize, Unit: 16}
	if !ok || h != want {
		t.Errorf("header %+v %v, want %+v", h, ok, want)
	}
	for name, b := range map[string][]byte{"short": make([]byte, 31), "empty": make([]byte, 64), "cut": a.Bytes()[:16]} {
		if _, ok := ReadHeader(b); ok {
			t.Errorf("%s bytes pass for a header", name)
		}
	}
	old := bytes.Clone(a.Bytes()[:32])
	old[8]++
	if _, ok := ReadHeader(old); ok {
		t.Error("another format version passes")
	}
}

func TestMemoryComesAndGoes(t *testing.T) {
	a := newArena(t, 64*HeaderSize)
	if got := a.Resident(); got != HeaderSize {
		t.Errorf("a fresh arena takes %d bytes, want its header's %d", got, HeaderSize)
	}
	if err := a.Populate(8*HeaderSize, 4*HeaderSize); err != nil {
		t.Fatal(err)
	}
	if got := a.Resident(); got != 5*HeaderSize {
		t.Errorf("%d bytes after populating 4 pages", got)
	}
	page := a.Bytes()[8*HeaderSize : 9*HeaderSize]
	if !bytes.Equal(page, make([]byte, HeaderSize)) {
		t.Error("a fresh page is not zeros")
	}
	page[5] = 1
	if err := a.Punch(8*HeaderSize, 4*HeaderSize); err != nil {
		t.Fatal(err)
	}
	if got := a.Resident(); got != HeaderSize {
		t.Errorf("%d bytes after punching", got)
	}
	if page[5] != 0 {
		t.Error("a punched page kept its contents")
	}
}

func TestPopulateDataCoversPartialPages(t *testing.T) {
	a := newArena(t, 64*HeaderSize)
	if err := a.PopulateData(100, 100); err != nil {
		t.Fatal(err)
	}
	if err := a.PopulateData(HeaderSize-1, HeaderSize+1); err != nil {
		t.Fatal(err)
	}
	if got := a.Resident(); got != 3*HeaderSize {
		t.Errorf("%d bytes resident, want the header and the two pages touched", got)
	}
}

func TestViewIsTheData(t *testing.T) {
	a := newArena(t, 2*HeaderSize)
	v := View[uint64](a, 2*HeaderSize/8)
	v[1] = 0x0102030405060708
	if a.Data()[8] != 8 || len(v) != 1024 {
		t.Errorf("data %x, %d entries", a.Data()[8:16], len(v))
	}
	defer func() {
		if recover() == nil {
			t.Error("a view longer than its arena was given out")
		}
	}()
	View[uint64](a, 1025)
}

func TestTooLargeIsENOMEM(t *testing.T) {
	for _, size := range []uint64{1 << 60, 1<<63 - 1, 1 << 63, ^uint64(0)} {
		if _, err := New(SlotTable, size, 16); !errors.Is(err, syscall.ENOMEM) {
			t.Errorf("%d bytes: %v, want ENOMEM", size, err)
		}
	}
}
