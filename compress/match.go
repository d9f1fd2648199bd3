package compress

import "math/bits"

// What the page encoders of the LZ family share: a table of last positions, and
// ways to compare two places of a page.

const pageHashBits = 12

// pageTable has the last position of each hash, 0 for none. It is cleared (or
// primed from the dictionary) for every page: so an entry always names a
// position before the current one, an unused one position 0, and a search needs
// no check of its candidates, and the output depends on no page before. A
// position has 16 bits, hence maxPage.
type pageTable [1 << pageHashBits]uint16

// pageHash maps the low 5 bytes of x to an index of the table.
func pageHash(x uint64) uint64 { return x << 24 * 889523592379 >> (64 - pageHashBits) }

// swap puts i in the place of the last position that had the key x, and returns
// that one.
func (t *pageTable) swap(x uint64, i int) int {
	h := pageHash(x)
	last := t[h]
	t[h] = uint16(i)
	return int(last)
}

// fill sets the table to the positions of src.
func (t *pageTable) fill(src []byte) {
	*t = pageTable{}
	for i := 0; i+8 <= len(src); i++ {
		t.swap(load64(src, i), i)
	}
}

// matchLength returns how many of 16 bytes at i and cand agree; diff is what the
// first 8 differ in.
func matchLength(src []byte, i, cand int, diff uint64) int {
	n := bits.TrailingZeros64(diff) >> 3
	return n + n>>3*(bits.TrailingZeros64(load64(src, i+8)^load64(src, cand+8))>>3)
}

// matchBackward returns how many of the 8 bytes before i and cand agree.
func matchBackward(src []byte, i, cand int) int {
	return bits.LeadingZeros64(load64(src, i-8)^load64(src, cand-8)) >> 3
}

// matchExtend returns where the match of distance off ends that holds up to e, at
// most len(src). The last bytes are compared one by one.
func matchExtend(src []byte, e, off int) int {
	for ; e+8 <= len(src); e += 8 {
		if diff := load64(src, e) ^ load64(src, e-off); diff != 0 {
			return e + bits.TrailingZeros64(diff)>>3
		}
	}
	for e < len(src) && src[e] == src[e-off] {
		e++
	}
	return e
}
