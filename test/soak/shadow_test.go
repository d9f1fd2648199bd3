package soak

import (
	"fmt"
	"slices"
	"testing"

	"uzram/store"
)

const testSeed, testPage = 77, 5

// nextGen is the first generation from g on whose contents are of the kind.
func nextGen(g generation, kind uint64) generation {
	for g |= 1; ; g += 2 {
		if (version{testSeed, testPage, g}).hash()%kinds == kind {
			return g
		}
	}
}

// pageOf is a page with the cells of each record written in turn.
func pageOf(list ...record) []byte {
	p := make([]byte, store.PageSize)
	for _, r := range list {
		for cell := range cellsPerPage {
			if r.span>>cell&1 != 0 {
				version{testSeed, testPage, r.gen}.fill(cell, p[cell*cellBytes:(cell+1)*cellBytes])
			}
		}
	}
	return p
}

func judged(list []record, p []byte, from int, begin, end int64) error {
	v := view{version: version{seed: testSeed, page: testPage}, from: from, got: p, begin: begin, end: end}
	return v.judge(list)
}

// write is a record as it is when the write has ended.
func write(gen generation, span uint16, begin, end int64) record {
	return record{gen: gen, span: span, left: span, stored: true, begin: begin, end: end}
}

func TestJudge(t *testing.T) {
	a := write(nextGen(1, random), allCells, 10, 20)
	b := write(nextGen(1000, text), allCells, 30, 40)
	c := write(nextGen(2000, graded), 0x00ff, 30, 40)
	running := write(nextGen(3000, random), allCells, 45, never)
	running.stored = false
	perhaps := write(4000, allCells, 45, 50)
	perhaps.stored = false
	stranger := write(nextGen(5000, random), allCells, 0, 1)
	half := func(x, y record) []byte { return append(pageOf(x)[:2048:2048], pageOf(y)[2048:]...) }
	for _, tt := range []struct {
		name       string
		list       []record
		page       []byte
		begin, end int64
		ok         bool
	}{
		{"nothing was ever written", []record{fresh}, pageOf(), 50, 60, true},
		{"nothing was ever written, something is there", []record{fresh}, pageOf(a), 50, 60, false},
		{"the last write", []record{fresh, a, b}, pageOf(b), 50, 60, true},
		{"a write before it", []record{fresh, a, b}, pageOf(a), 50, 60, false},
		{"a write before it, to one that began in time", []record{fresh, a, b}, pageOf(a), 35, 60, true},
		{"zeros before both", []record{fresh, a, b}, pageOf(), 50, 60, false},
		{"another page's", []record{fresh, a}, pageOf(stranger), 50, 60, false},
		{"two at the same time", []record{fresh, b, write(a.gen, allCells, 35, 45)}, pageOf(a), 50, 60, true},
		{"one that runs", []record{fresh, a, running}, pageOf(running), 50, 60, true},
		{"the one before one that runs", []record{fresh, a, running}, pageOf(a), 50, 60, true},
		{"one that began later", []record{fresh, a, running}, pageOf(running), 25, 44, false},
		{"a failed discard, made", []record{fresh, a, perhaps}, pageOf(), 60, 70, true},
		{"a failed discard, not made", []record{fresh, a, perhaps}, pageOf(a), 60, 70, true},
		{"a part on a whole", []record{fresh, a, c}, pageOf(a, c), 50, 60, true},
		{"a lost part", []record{fresh, a, c}, pageOf(a), 50, 60, false},
		{"the part alone", []record{fresh, a, c}, pageOf(c), 50, 60, false},
		{"torn: both whole, at the same time", []record{fresh, write(a.gen, allCells, 30, 40), b}, half(a, b), 35, 60, false},
		{"a part beside a whole at the same time", []record{fresh, write(a.gen, allCells, 30, 40), c}, half(c, a), 35, 60, true},
	} {
		if err := judged(tt.list, tt.page, 0, tt.begin, tt.end); (err == nil) != tt.ok {
			t.Errorf("%s: %v, want it accepted: %v", tt.name, err, tt.ok)
		}
	}
}

// A read of any bytes is held against those bytes.
func TestJudgePart(t *testing.T) {
	for kind := range uint64(kinds) {
		a := write(nextGen(7, kind), allCells, 10, 20)
		p := pageOf(a)
		for _, at := range [][2]int{{0, 1}, {255, 257}, {100, 3000}, {4095, 4096}, {256, 512}} {
			part := slices.Clone(p[at[0]:at[1]])
			if err := judged([]record{fresh, a}, part, at[0], 50, 60); err != nil {
				t.Errorf("kind %d, %v: %v", kind, at, err)
			}
			part[len(part)-1] ^= 0x40
			if judged([]record{fresh, a}, part, at[0], 50, 60) == nil {
				t.Errorf("kind %d, %v: a changed byte passes", kind, at)
			}
		}
	}
}

// What no read can find any more is dropped, and nothing else.
func TestForget(t *testing.T) {
	for _, tt := range []struct {
		oldest int64
		left   string
	}{
		{40, "[1 3 5]"}, // who began at 40 or before may still find the first ones
		{41, "[3 5]"},
	} {
		var p pageShadow
		p.begin(1, allCells, 10, 0)
		p.ended(1, stored, 20)
		p.begin(3, allCells, 30, 11)
		p.ended(3, stored, 40)
		p.begin(5, 1, 50, tt.oldest)
		var left []uint64
		for _, r := range p.copied(nil) {
			if r.gen != 0 || tt.oldest <= 20 {
				left = append(left, uint64(r.gen))
			}
		}
		if fmt.Sprint(left) != tt.left {
			t.Errorf("oldest %d: left are %v, want %s", tt.oldest, left, tt.left)
		}
	}
	var p pageShadow
	for i := range int64(1000) {
		p.begin(generation(2*i+1), uint16(1)<<(i%16)|1, 10*i+1, 10*i)
		p.ended(generation(2*i+1), stored, 10*i+5)
	}
	if n := len(p.copied(nil)); n > 20 {
		t.Errorf("%d records are kept", n)
	}
	p.begin(9999, allCells, 20000, 19000)
	p.ended(9999, refused, 20001)
	for _, r := range p.copied(nil) {
		if r.gen == 9999 {
			t.Error("a refused write is kept")
		}
	}
}
