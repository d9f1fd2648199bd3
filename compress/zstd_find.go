package compress

import "reflect"

const (
	zstdMinMatch = 3
	// zstdMargin is how far before the page's end the last match may begin.
	zstdMargin = 8
	// zstdSlack is how many bytes follow the page, and the literals, so that
	// loads and moves may pass their end.
	zstdSlack = 32
)

// zstdFinder takes pages apart.
type zstdFinder interface {
	// learn remembers the positions of the dictionary that lies before the page.
	learn(p *zstdParse)
	// find fills the literals and the sequences of p.
	find(p *zstdParse)
	// size is the memory in bytes.
	size() int
}

// zstdParse is a page taken apart into literals and matches.
type zstdParse struct {
	// src is the dictionary, the page, and zstdSlack zeros: what would not fit
	// into the page is cut off a match afterwards.
	src        []byte
	start, end int // of the page in src
	repeats    zstdRepeats

	literals []byte // all of them, with zstdSlack bytes of room behind
	seqs     []zstdSequence
	lits, n  int // how many there are
}

// grow prepares for a page of n bytes whose matches have least bytes or more.
func (p *zstdParse) grow(n, least int) {
	if len(p.literals) < n+zstdSlack {
		p.literals = make([]byte, n+zstdSlack)
	}
	if len(p.seqs) < n/least+1 {
		p.seqs = make([]zstdSequence, n/least+1)
	}
}

// add appends the match at a position, with the literals from anchor on.
func (p *zstdParse) add(anchor, at, size, off int) {
	lit := at - anchor
	p.literal(anchor, at)
	p.seqs[p.n] = zstdSequence{uint16(lit), uint16(size - zstdMinMatch), p.repeats.value(off, lit)}
	p.n++
}

// literal appends literals.
func (p *zstdParse) literal(from, to int) { p.lits += copy(p.literals[p.lits:], p.src[from:to]) }

// zstdRepeats are the last three distances, the latest first.
type zstdRepeats [3]int

// value returns how the format codes a distance after lit literals, and puts it
// first. Right behind a match the last distance cannot come again, so that the
// values stand for the others: 1 the second, 2 the third, 3 the first less 1.
func (r *zstdRepeats) value(off, lit int) uint32 {
	v := uint32(off + 3)
	if lit > 0 {
		switch off {
		case r[0]:
			return 1
		case r[1]:
			r[0], r[1] = off, r[0]
			return 2
		case r[2]:
			v = 3
		}
	} else {
		switch off {
		case r[1]:
			r[0], r[1] = off, r[0]
			return 1
		case r[2]:
			v = 2
		case r[0] - 1:
			v = 3
		}
	}
	r[0], r[1], r[2] = off, r[0], r[1]
	return v
}

// size is the memory in bytes beyond the struct and src.
func (p *zstdParse) size() int {
	return len(p.literals) + len(p.seqs)*int(reflect.TypeFor[zstdSequence]().Size())
}

// zstdOffset is zstdRepeats.value without a branch: it returns how the format
// codes off after lit literals, if r1, r2, r3 are the last distances, and which
// ones follow off among them afterwards.
func zstdOffset(off, lit, r1, r2, r3 int) (v uint32, second, third int) {
	first := uint32(1)
	if lit == 0 {
		first = 0
	}
	v, second, third = uint32(off+3), r1, r2
	if off == r3 {
		v = first + 2
	}
	if off == r2 {
		v, third = first+1, r3
	}
	if off == r1 && lit > 0 {
		v, second, third = 1, r2, r3
	}
	return v, second, third
}

// zstdLiteralMove copies lit literals in steps of 16 bytes. The caller guarantees that
// both have up to 16 bytes more.
func zstdLiteralMove(dst []byte, o int, src []byte, i, lit int) {
	copy16(dst, o, src, i)
	for k := 16; k < lit; k += 16 {
		copy16(dst, o+k, src, i+k)
	}
}
