package dictionary

import (
	"encoding/binary"
	"math"
)

const (
	// pieceLength is the length in bytes of the pieces that are counted. Shorter ones tell less, longer ones miss what
	// differs in a pointer's low bytes.
	pieceLength = 6
	worthBits   = 22 // of the table of pieces: 16 MiB
	lastPiece   = pageSize - 8
)

// worth counts in how many pages each piece of pieceLength bytes is fresh, weighed with its fresh bytes. The table holds
// one piece per slot. A piece that comes to a slot held by another wears that one's count down and takes over an empty
// slot, so the many pieces that come once, random bytes above all, do not pass for one that comes often.
type worth struct {
	repeats repeats
	slots   []slot
}

// weights has, for each position of a page, how many bytes of the piece there are fresh.
type weights [lastPiece + 1]uint8

type slot struct {
	tag   uint16 // of the piece
	count uint16 // bytes, or the most that it can tell
}

func newWorth() *worth { return &worth{slots: make([]slot, 1<<worthBits)} }

// weigh sets the weights of a page.
func (w *worth) weigh(to *weights, page []byte) {
	w.repeats.find(page)
	fresh := &w.repeats.fresh
	n := uint8(0)
	for i := range pieceLength - 1 {
		n += bit(fresh[i])
	}
	for i := range to {
		n += bit(fresh[i+pieceLength-1])
		to[i] = n
		n -= bit(fresh[i])
	}
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// place returns the slot for the piece at the start of p, which has 8 bytes at least, and the piece's tag.
func (w *worth) place(p []byte) (*slot, uint16) {
	h := binary.LittleEndian.Uint64(p) << (64 - 8*pieceLength) * 0x9e3779b185ebca87
	return &w.slots[h>>(64-worthBits)], uint16(h >> (64 - worthBits - 16))
}

// count adds a page. A piece is fresh in it once only, so pages are counted and not how often one has the piece.
func (w *worth) count(page []byte) {
	var all weights
	w.weigh(&all, page)
	for i, weight := range all {
		if weight == 0 {
			continue
		}
		s, tag := w.place(page[i:])
		switch {
		case s.count == 0:
			*s = slot{tag, uint16(weight)}
		case s.tag != tag:
			s.count--
		default:
			s.count += min(uint16(weight), math.MaxUint16-s.count)
		}
	}
}

// at returns how many bytes the piece at the start of p, which has 8 bytes at least, saves in all pages but one.
func (w *worth) at(p []byte) uint32 {
	s, tag := w.place(p)
	if s.tag != tag || s.count <= pieceLength {
		return 0
	}
	return uint32(s.count) - pieceLength
}

// take says that the dictionary holds the pieces of text, which is part of a page.
func (w *worth) take(text []byte) {
	for i := 0; i+8 <= len(text); i++ {
		if s, tag := w.place(text[i:]); s.tag == tag {
			s.count = 0
		}
	}
}
