package compress

// An entry of a decoding table says what the next bits mean:
//
//	bits 0..5    bits that it takes, extra bits included
//	bits 8..11   bits of the code alone; of a pointer: index bits of the subtable
//	bits 13..15  what it is, where that is neither a literal nor a range
//	bits 16..30  the literal, the base of a length or distance, or where a
//	             subtable begins
//	bit 31       a literal
//
// The entry of a code that does not exist has inflateSpecial only.
const (
	inflateLiteral = 1 << 31
	inflateSpecial = 1 << 15
	inflateSub     = 1 << 14
	inflateEnd     = 1 << 13

	inflateTaken     = 1<<6 - 1
	inflateCodeShift = 8
	inflateCodeMask  = 1<<4 - 1
	inflateValue     = 16
)

const (
	inflateLitlenBits = 10
	inflateDistBits   = 7
	// The most entries that a complete code of all symbols can need, subtables
	// included: tables are of the least size for the codes that share a prefix.
	inflateLitlenSize = 1332
	inflateDistSize   = 400
)

// inflateTables has the decoding tables of a block.
type inflateTables struct {
	litlen [inflateLitlenSize]uint32
	dist   [inflateDistSize]uint32
}

// inflateLitlenSymbols, inflateDistSymbols and inflatePreSymbols are the entries
// of the symbols but for the code's own length.
var (
	inflateLitlenSymbols = litlenSymbols()
	inflateDistSymbols   = distSymbols()
	inflatePreSymbols    = preSymbols()
	inflateFixed         = fixedTables()
)

func litlenSymbols() (e [deflateFixedLitlens]uint32) {
	for s := range e {
		switch {
		case s < deflateEnd:
			e[s] = inflateLiteral | uint32(s)<<inflateValue
		case s == deflateEnd:
			e[s] = inflateSpecial | inflateEnd
		case s < deflateLitlens:
			r := deflateLengthRange[s-deflateFirstLen]
			e[s] = uint32(r.base)<<inflateValue | uint32(r.extra)
		default:
			e[s] = inflateSpecial
		}
	}
	return e
}

func distSymbols() (e [deflateFixedDistances]uint32) {
	for s := range e {
		e[s] = inflateSpecial
		if s < deflateDistances {
			r := deflateDistanceRange[s]
			e[s] = uint32(r.base)<<inflateValue | uint32(r.extra)
		}
	}
	return e
}

func preSymbols() (e [deflatePreCodes]uint32) {
	for s := range e {
		e[s] = uint32(s) << inflateValue
	}
	return e
}

func fixedTables() *inflateTables {
	var t inflateTables
	litlens, dists := fixedLitlenLengths(), fixedDistanceLengths()
	if !buildInflateTable(t.litlen[:], inflateLitlenBits, litlens[:], inflateLitlenSymbols[:]) ||
		!buildInflateTable(t.dist[:], inflateDistBits, dists[:], inflateDistSymbols[:]) {
		panic("fixed codes are not complete")
	}
	return &t
}

// buildInflateTable makes the decoding table of a prefix code, indexed by the
// next width bits, from the lengths of its symbols' codes. It says no to an
// over-subscribed code and to an incomplete one, but for one code of a single
// bit, and none at all.
func buildInflateTable(table []uint32, width int, lengths []uint8, symbols []uint32) bool {
	var count [deflateMaxBits + 1]uint16
	for _, l := range lengths {
		count[l&deflateMaxBits]++
	}
	count[0] = 0
	// first[l] is where the symbols of length l begin in sorted, room what the
	// codes up to that length leave, in codes of it.
	var first [deflateMaxBits + 2]uint16
	room, longest := 1, 0
	for l := 1; l <= deflateMaxBits; l++ {
		room = room<<1 - int(count[l])
		if room < 0 {
			return false
		}
		first[l+1] = first[l] + count[l]
		if count[l] != 0 {
			longest = l
		}
	}
	if room != 0 {
		if longest > 1 {
			return false
		}
		fillPartial(table[:1<<width], lengths, symbols)
		return true
	}
	var sorted [deflateFixedLitlens]uint16
	next := first
	for s, l := range lengths {
		if l != 0 {
			at := &next[l&deflateMaxBits]
			sorted[*at%deflateFixedLitlens] = uint16(s)
			*at++
		}
	}

	// The table is first made for codes of one bit; then it is doubled for each
	// further one. Codes are kept with their first bit lowest, as they are read.
	code, k, size := 0, 0, 1
	for l := 1; l <= width; l++ {
		copy(table[size:2*size], table[:size])
		size *= 2
		for range count[l] {
			table[code] = symbols[sorted[k]] + uint32(l|l<<inflateCodeShift)
			code = nextCode(code, l)
			k++
		}
	}
	if longest <= width {
		return true
	}
	prefix, begin, bits := -1, 0, 0
	for l := width + 1; l <= longest; l++ {
		for left := int(count[l]); left > 0; left-- {
			if p := code & (1<<width - 1); p != prefix {
				prefix, begin = p, size
				// The subtable is of the size that the codes which follow fill.
				bits = l - width
				for space := 1<<bits - left; space > 0; {
					bits++
					space = space<<1 - int(count[bits+width])
				}
				size += 1 << bits
				table[prefix] = uint32(begin)<<inflateValue | inflateSpecial | inflateSub |
					uint32(width|bits<<inflateCodeShift)
			}
			e := symbols[sorted[k]] + uint32((l-width)|(l-width)<<inflateCodeShift)
			for i := begin + code>>width; i < size; i += 1 << (l - width) {
				table[i] = e
			}
			code = nextCode(code, l)
			k++
		}
	}
	return true
}

// nextCode returns the code of l bits that follows code, both with their first
// bit lowest.
func nextCode(code, l int) int {
	bit := 1 << (l - 1)
	for code&bit != 0 {
		code ^= bit
		bit >>= 1
	}
	return code | bit
}

// fillPartial makes the table of a code with one symbol of one bit, or with
// none: the bit 1 means nothing then.
func fillPartial(table []uint32, lengths []uint8, symbols []uint32) {
	for i := range table {
		table[i] = inflateSpecial
	}
	for s, l := range lengths {
		if l != 0 {
			for i := 0; i < len(table); i += 2 {
				table[i] = symbols[s] + 1 + 1<<inflateCodeShift
			}
		}
	}
}
