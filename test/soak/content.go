package soak

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"uzram/store"
)

// A cell is the unit of writes that others see.
const (
	cellBytes    = 256
	cellsPerPage = store.PageSize / cellBytes
	allCells     = 1<<cellsPerPage - 1
)

// generation names a write: worker, count, and whether it left anything but
// zeros (bit 0). 0 is the state of a fresh disk.
type generation uint64

func newGeneration(worker int, count uint64, data bool) generation {
	g := generation(count<<8|uint64(worker)) << 1
	if data {
		g |= 1
	}
	return g
}

func (g generation) String() string {
	if g == 0 {
		return "nothing"
	}
	what := "data"
	if g&1 == 0 {
		what = "zeros"
	}
	return fmt.Sprintf("%s %d of worker %d", what, g>>9, g>>1&0xff)
}

// Kinds of contents, by what a device makes of a page of them.
const (
	zeros    = iota // same-filled
	smallSum        // same-filled: 60 bits, sign-extended
	twoHalves
	oddElement // same-filled: not within the commit word
	text       // a small object
	graded     // any size
	random     // huge
	kinds
)

// version is one generation of one page.
type version struct {
	seed, page uint64
	gen        generation
}

func (v version) hash() uint64 { return mix(v.seed ^ mix(v.page^mix(uint64(v.gen)))) }

// fill makes the bytes of a cell.
func (v version) fill(cell int, b []byte) {
	if v.gen&1 == 0 {
		clear(b)
		return
	}
	h := v.hash()
	switch h % kinds {
	case zeros:
		clear(b)
	case smallSum:
		repeat(b, h>>8)
	case twoHalves:
		repeat(b, h>>32<<32|h>>32)
	case oddElement:
		repeat(b, (h|1<<63)&^(1<<62))
	case text:
		v.label(cell, b)
		for n := labelBytes; n < len(b); {
			n += copy(b[n:], "nothing new is said here; ")
		}
	case graded:
		v.label(cell, b)
		words := b[labelBytes:]
		noise := int(h>>32%uint64(len(words)/8+1)) * 8
		scramble(words[:noise], h+uint64(cell))
		clear(words[noise:])
	case random:
		scramble(b, h+uint64(cell))
	}
}

// A label says where a cell belongs, for those who find it elsewhere.
const (
	labelMagic = 0x6c6c65636b616f73
	labelBytes = 32
)

func (v version) label(cell int, b []byte) {
	binary.LittleEndian.PutUint64(b, labelMagic)
	binary.LittleEndian.PutUint64(b[8:], v.seed)
	binary.LittleEndian.PutUint64(b[16:], v.page<<8|uint64(cell))
	binary.LittleEndian.PutUint64(b[24:], uint64(v.gen))
}

// describe says what a cell looks like.
func describe(b []byte) string {
	if len(b) >= labelBytes && binary.LittleEndian.Uint64(b) == labelMagic {
		at := binary.LittleEndian.Uint64(b[16:])
		return fmt.Sprintf("labelled seed %#x, page %d, cell %d, %v", binary.LittleEndian.Uint64(b[8:]), at>>8, at&0xff,
			generation(binary.LittleEndian.Uint64(b[24:])))
	}
	return fmt.Sprintf("%x...", b[:min(len(b), labelBytes)])
}

// holds reports whether got is what the version has at [from, from+len(got)) of
// a cell.
func (v version) holds(cell, from int, got []byte) bool {
	var want [cellBytes]byte
	v.fill(cell, want[:])
	return bytes.Equal(got, want[from:from+len(got)])
}

func repeat(b []byte, word uint64) {
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, word)
	}
}

func scramble(b []byte, seed uint64) {
	for i := uint64(1); len(b) >= 8; b, i = b[8:], i+1 {
		binary.LittleEndian.PutUint64(b, mix(seed+i<<32))
	}
}

// mix is a bijection without visible pattern (the finaliser of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
