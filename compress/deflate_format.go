package compress

// The deflate format (RFC 1951): blocks of literals and matches, each stored or
// coded with two prefix codes, one for literals and lengths, one for distances.

// Block types, as the two bits behind the bit of the last block say.
const (
	deflateStored  = 0
	deflateFixed   = 1
	deflateDynamic = 2
)

const (
	deflateMinMatch = 3
	deflateMaxMatch = 258

	deflateEnd       = 256 // the symbol that ends a block
	deflateFirstLen  = 257 // the symbol of the shortest lengths
	deflateLitlens   = 286 // symbols of literals, end and lengths
	deflateDistances = 30
	// The fixed codes have symbols that may not occur.
	deflateFixedLitlens   = 288
	deflateFixedDistances = 32

	deflateMaxBits  = 15 // of a literal, length or distance code
	deflatePreBits  = 7  // of a code for code lengths
	deflatePreCodes = 19

	deflateMaxStored = 1<<16 - 1 // bytes of a stored block

	// The least numbers of code lengths a header gives.
	deflateMinLitlens   = 257
	deflateMinDistances = 1
	deflateMinPreCodes  = 4
)

// Symbols of the code for code lengths: 0..15 are lengths themselves.
const (
	deflateRepeat    = 16 // the length before, 3..6 times
	deflateZeros     = 17 // 3..10 times
	deflateManyZeros = 18 // 11..138 times
)

// deflatePreOrder is the order in which a header has the lengths of the code for
// code lengths.
var deflatePreOrder = [deflatePreCodes]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// deflateRange is what a symbol stands for: base and the number it is followed
// by, which has so many bits.
type deflateRange struct {
	base  uint16
	extra uint8
}

// deflateLengthRange and deflateDistanceRange are indexed by symbol, those of
// lengths counted from deflateFirstLen.
var (
	deflateLengthRange   = lengthRanges()
	deflateDistanceRange = distanceRanges()
	// deflateSlotRange is deflateDistanceRange for a masked index.
	deflateSlotRange = slotRanges()
)

// lengthRanges has eight symbols without extra bits, then four for each number
// of them, and one for the longest match alone.
func lengthRanges() (r [deflateLitlens - deflateFirstLen]deflateRange) {
	base := uint16(deflateMinMatch)
	for s := range r {
		r[s] = deflateRange{base, uint8(max(s/4, 1) - 1)}
		base += 1 << r[s].extra
	}
	r[len(r)-1] = deflateRange{deflateMaxMatch, 0}
	return r
}

// distanceRanges has four symbols without extra bits, then two for each number
// of them.
func distanceRanges() (r [deflateDistances]deflateRange) {
	base := uint16(1)
	for s := range r {
		r[s] = deflateRange{base, uint8(max(s/2, 1) - 1)}
		base += 1 << r[s].extra
	}
	return r
}

func slotRanges() (r [deflateFixedDistances]deflateRange) {
	copy(r[:], deflateDistanceRange[:])
	return r
}

// fixedLitlenLengths and fixedDistanceLengths are the code lengths of fixed
// blocks.
func fixedLitlenLengths() (l [deflateFixedLitlens]uint8) {
	for s := range l {
		switch {
		case s < 144:
			l[s] = 8
		case s < 256:
			l[s] = 9
		case s < 280:
			l[s] = 7
		default:
			l[s] = 8
		}
	}
	return l
}

func fixedDistanceLengths() (l [deflateFixedDistances]uint8) {
	for s := range l {
		l[s] = 5
	}
	return l
}
