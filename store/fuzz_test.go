package store

import (
	"bytes"
	"encoding/binary"
	"testing"

	"uzram/alloc"
)

// An object's word gives back what it was made of, and none of its fields
// changes another.
func FuzzObjectEntry(f *testing.F) {
	f.Add(uint64(1), uint32(1), uint64(2), uint64(0))
	f.Add(uint64(handleMask), uint32(PageSize), uint64(0), ^uint64(0))
	f.Fuzz(func(t *testing.T, h uint64, n uint32, h2, element uint64) {
		from, to := alloc.Handle(h&handleMask), alloc.Handle(h2&handleMask)
		size := 1 + int(n)%PageSize
		e := objectEntry(from, size)
		if e.kind() != kindObject || e.handle() != from || e.size() != size || e.huge() != (size == PageSize) || e.priority() != 0 || e.incompressible() {
			t.Errorf("an object of %d bytes at %#x became %#x", size, from, uint64(e))
		}
		for priority := range entry(priorityMask + 1) {
			for _, mark := range []entry{0, incompressibleBit} {
				m := e | priority<<priorityShift | mark
				for _, m := range []entry{m, m.moved(to).moved(from)} {
					if m.handle() != from || m.size() != size || m.kind() != kindObject || m.priority() != int(priority) || m.incompressible() != (mark != 0) {
						t.Errorf("priority %d and mark %#x of %#x became %#x", priority, uint64(mark), uint64(e), uint64(m))
					}
				}
			}
		}
		if m := e.moved(to); m != objectEntry(to, size) {
			t.Errorf("moved to %#x: %#x", to, uint64(m))
		}
		if _, outside := e.cell(); outside {
			t.Errorf("%#x is an object and names an element", uint64(e))
		}
		checkSameEntry(t, element)
	})
}

func checkSameEntry(t *testing.T, element uint64) {
	index := element & payloadMask
	outside := sameForm(formElsewhere, index)
	if got, is := outside.cell(); !is || got != index || outside.kind() != kindSame || outside.huge() || outside.incompressible() {
		t.Errorf("cell %#x became %#x", index, uint64(outside))
	}
	e, ok := sameEntry(element)
	if !ok {
		return
	}
	if got, elsewhere := e.element(); got != element || elsewhere || e.kind() != kindSame || e.huge() || e.incompressible() {
		t.Errorf("element %#x became %#x", element, uint64(e))
	}
	if _, is := e.cell(); is {
		t.Errorf("%#x has its element within and names a cell", uint64(e))
	}
}

// Any word at all is of one kind, and reading its fields does no harm.
func FuzzEntryDecodes(f *testing.F) {
	f.Add(uint64(0))
	f.Add(^uint64(0))
	f.Fuzz(func(t *testing.T, word uint64) {
		e := entry(word)
		if e.kind() > kindBlock {
			t.Errorf("%#x is of kind %d", word, e.kind())
		}
		if e.huge() && e.size() != PageSize {
			t.Errorf("%#x is huge with %d bytes", word, e.size())
		}
		payload, elsewhere := e.element()
		if index, outside := e.cell(); outside && (e.kind() != kindSame || !elsewhere || index != payload) {
			t.Errorf("%#x names cell %#x, its element is %#x", word, index, payload)
		}
	})
}

// The spans of a range cover it exactly, in order, one page each.
func FuzzSpans(f *testing.F) {
	f.Add(uint64(0), uint32(PageSize))
	f.Add(uint64(PageSize-1), uint32(2))
	f.Add(uint64(1<<62), uint32(3*PageSize+5))
	f.Fuzz(func(t *testing.T, off uint64, n uint32) {
		off %= 1 << 62
		n %= 64 * PageSize
		at, end := off, off+uint64(n)
		for at < end {
			sp := spanAt(at, end-at)
			switch {
			case sp.i*PageSize+uint64(sp.from) != at:
				t.Fatalf("%+v begins elsewhere than at %d", sp, at)
			case sp.from < 0 || sp.from >= sp.to || sp.to > PageSize:
				t.Fatalf("%+v is no part of a page", sp)
			case sp.whole() != (sp.to-sp.from == PageSize):
				t.Fatalf("%+v is whole: %v", sp, sp.whole())
			case sp.to < PageSize && at+uint64(sp.to-sp.from) != end:
				t.Fatalf("%+v ends before its page and the range do", sp)
			}
			at += uint64(sp.to - sp.from)
		}
		if at != end {
			t.Fatalf("the spans of [%d, %d) end at %d", off, end, at)
		}
	})
}

// opBytes is how many bytes FuzzHistory makes an op of.
const opBytes = 8

// Histories made of any bytes: ranges of any alignment and length are read,
// written and discarded as on a plain array.
func FuzzHistory(f *testing.F) {
	for seed := range byte(4) {
		f.Add(bytes.Repeat([]byte{seed, 1, 2, 3, 4, 5, 6, 7, seed + 3, 0, 0, 16, 0, 0, 16, 9}, 4), seed)
	}
	f.Fuzz(func(t *testing.T, data []byte, variant byte) {
		o := options{algorithm: "lz4", pages: 8, workers: 2, wrapping: []string{"", "-failing"}[variant%2]}
		if variant%4 > 1 {
			o.secondary = []string{"deflate"}
		}
		if _, err := o.run(decodeHistory(data, o), nil); err != nil {
			t.Fatalf("%+v.run(%s)\n%v", o, printHistory(decodeHistory(data, o)), err)
		}
	})
}

func decodeHistory(data []byte, o options) (history []op) {
	const most = 200
	for ; len(data) >= opBytes && len(history) < most; data = data[opBytes:] {
		x := op{
			verb:   verb(data[0]) % verb(len(verbs)),
			worker: int(data[0] >> 4),
			off:    int(binary.LittleEndian.Uint16(data[1:])) % ((o.pages + 1) * PageSize),
			n:      1 + int(binary.LittleEndian.Uint16(data[3:]))%(4*PageSize),
			fill:   int(data[5]) % fills,
			seed:   uint64(binary.LittleEndian.Uint16(data[6:])),
		}
		switch x.verb {
		case opFailRate:
			x.n %= 500
		case opSetUp:
			x.n = (1 + x.n/PageSize) * PageSize
		case opRecompress:
			x.n %= len(recompressRequests)
		case opShortage:
			continue
		}
		history = append(history, x.normal())
	}
	return history
}
