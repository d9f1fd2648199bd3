package compress

// Facts of the 842 format: a row of templates of 5 bits, with their arguments
// behind. An ordinary template makes a group of 8 bytes out of two halves, or
// one index. Of the first 25 templates each is a pair of half kinds: 5 times the
// first and the second.
const (
	sw842Group    = 8
	sw842Template = 5 // bits

	sw842Kinds = 5
	// The kinds of a half: data, 2 bytes of data or an index of them and 2 more
	// (an index first adds to an index second), or an index of all 4.
	sw842Data      = 0
	sw842DataIndex = 1
	sw842IndexData = 2
	sw842Indices   = sw842IndexData + sw842DataIndex
	sw842Index     = 4

	sw842Whole  = 0x19 // one index of 8 bytes
	sw842Repeat = 0x1b // the last group again; 6 bits say how often, less 1
	sw842Zeros  = 0x1c // a group of zero bytes
	sw842Short  = 0x1d // 3 bits say how many bytes of data are the page's tail
	sw842End    = 0x1e

	sw842RepeatBits = 6
	sw842RepeatMost = 1 << sw842RepeatBits
	sw842ShortBits  = 3

	// Bits of an index to units of 2, 4 and 8 bytes, and the size in bytes of
	// the ring that it goes round.
	sw842Bits2, sw842Ring2 = 8, 2 << sw842Bits2
	sw842Bits4, sw842Ring4 = 9, 4 << sw842Bits4
	sw842Bits8, sw842Ring8 = 8, 8 << sw842Bits8

	sw842SumBits = 32
	sw842Align   = 8 // bytes of which a stream is a multiple
)
