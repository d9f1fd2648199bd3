package offheap

import (
	"bytes"
	"testing"
)

func TestDataIsFoundBetweenHoles(t *testing.T) {
	a := newArena(t, 63*HeaderSize)
	for _, p := range [][2]int{{8, 4}, {12, 1}, {20, 1}, {63, 1}} {
		if err := a.Populate(p[0]*HeaderSize, p[1]*HeaderSize); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Punch(10*HeaderSize, HeaderSize); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]uint64{
		{0, 0, 1}, {1, 8, 10}, {8, 8, 10}, {9, 9, 10}, {10, 11, 13}, {13, 20, 21}, {21, 63, 64}, {64, 64, 64}, {99, 64, 64},
	} {
		start, end := a.NextData(c[0] * HeaderSize)
		if start != c[1]*HeaderSize || end != c[2]*HeaderSize {
			t.Errorf("from page %d: bytes %d to %d, want pages %d to %d", c[0], start, end, c[1], c[2])
		}
		if at := a.DataFrom(c[0] * HeaderSize); at != c[1]*HeaderSize {
			t.Errorf("from page %d: the first is at byte %d, want page %d", c[0], at, c[1])
		}
	}
	if err := a.Punch(63*HeaderSize, HeaderSize); err != nil {
		t.Fatal(err)
	}
	if start, end := a.NextData(21 * HeaderSize); start != 64*HeaderSize || end != start {
		t.Errorf("behind all memory: bytes %d to %d", start, end)
	}
}

func TestCopyIsATwin(t *testing.T) {
	a := newArena(t, 64*HeaderSize)
	if err := a.Populate(8*HeaderSize, 2*HeaderSize); err != nil {
		t.Fatal(err)
	}
	copy(a.Bytes()[9*HeaderSize:], "contents")
	b, err := a.Copy()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the bytes differ")
	}
	if b, err = b.Copy(); err != nil { // a is all touched by now
		t.Fatal(err)
	}
	defer b.Close()
	copy(b.Bytes()[9*HeaderSize:], "changed")
	if !bytes.HasPrefix(a.Bytes()[9*HeaderSize:], []byte("contents")) {
		t.Error("both are the same memory")
	}
}

func TestCopyTakesMemoryWhereThereIsSome(t *testing.T) {
	a := newArena(t, 1<<20)
	if err := a.Populate(8*HeaderSize, 2*HeaderSize); err != nil {
		t.Fatal(err)
	}
	b, err := a.Copy()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Resident() != a.Resident() {
		t.Errorf("%d bytes resident, %d in the first", b.Resident(), a.Resident())
	}
}

func TestEachPurposeHasAName(t *testing.T) {
	seen := map[string]bool{}
	for p := SlotTable; p <= ConnDevices; p++ {
		if name := p.String(); name == "" || seen[name] {
			t.Errorf("purpose %d is called %q", p, name)
		} else {
			seen[name] = true
		}
	}
	for _, p := range []Purpose{0, ConnDevices + 1, 1<<32 - 1} {
		if got := p.String(); len(got) < len("purpose 0") {
			t.Errorf("unknown purpose %d is called %q", uint32(p), got)
		}
	}
}
