package compress

import "math/bits"

// deflateLitlenLimit keeps literal and length codes so short that four of them
// and the 7 bits before fit into a word.
const deflateLitlenLimit = 14

const _ = uint(64 - 7 - 4*deflateLitlenLimit) // does not compile if they do not

// A code as it is written: its number of bits, above that the bits, the first
// one lowest.
const (
	deflateCodeLen   = 1<<deflateCodeShift - 1
	deflateCodeShift = 8
)

// deflateLengthSymbol maps a length less deflateMinMatch to its symbol, counted
// from deflateFirstLen.
var deflateLengthSymbol = lengthSymbols()

func lengthSymbols() (t [deflateMaxMatch - deflateMinMatch + 1]uint8) {
	for s, r := range deflateLengthRange {
		for i := range t[r.base-deflateMinMatch:] {
			t[int(r.base)-deflateMinMatch+i] = uint8(s)
		}
	}
	return t
}

// distanceSlot returns the symbol of a distance.
func distanceSlot(distance int) int {
	d := uint32(distance - 1)
	if d < 2 {
		return int(d)
	}
	// Each power of two is halved.
	e := uint32(bits.Len32(d)) - 2
	return int(2*e + d>>(e&31))
}

// deflateFixedCodes are the code lengths of fixed blocks.
var deflateFixedCodes = struct {
	litlens   [deflateFixedLitlens]uint8
	distances [deflateFixedDistances]uint8
}{fixedLitlenLengths(), fixedDistanceLengths()}

// deflateCoder codes a block: counts of its symbols, lengths of the codes made
// for them, the header that tells these, and the codes.
type deflateCoder struct {
	huffman huffmanBuilder

	litlens   [deflateFixedLitlens]uint32
	distances [deflateFixedDistances]uint32
	pres      [deflatePreCodes]uint32

	litlenLengths   [deflateFixedLitlens]uint8
	distanceLengths [deflateFixedDistances]uint8
	preLengths      [deflatePreCodes]uint8

	header deflateHeader

	litlenCodes   [deflateFixedLitlens]uint32
	distanceCodes [deflateFixedDistances]uint32
	preCodes      [deflatePreCodes]uint32
	// matchCodes are by length less deflateMinMatch, with the extra bits.
	matchCodes [deflateMaxMatch - deflateMinMatch + 1]uint32
}

// deflateHeader is the header of a dynamic block.
type deflateHeader struct {
	litlens, distances, pres int // how many lengths it gives
	// The lengths of the first two as symbols of the third, extra bits above.
	items [deflateLitlens + deflateDistances]uint16
	size  int // of items
	bits  int // of the whole
}

const deflateItemShift = 5 // above the symbol of an item

// deflatePreExtra is the number of extra bits of items from deflateRepeat on.
var deflatePreExtra = [3]uint8{2, 3, 7}

// plan makes codes and header for the literals and matches of text.
func (c *deflateCoder) plan(text []byte, sequences []deflateSequence) {
	c.count(text, sequences)
	c.huffman.lengths(c.litlenLengths[:], c.litlens[:], deflateLitlenLimit)
	c.huffman.lengths(c.distanceLengths[:], c.distances[:], deflateMaxBits)
	c.makeHeader()
}

// count counts the symbols of text.
func (c *deflateCoder) count(text []byte, sequences []deflateSequence) {
	litlens, distances := &c.litlens, &c.distances
	*litlens, *distances = [deflateFixedLitlens]uint32{}, [deflateFixedDistances]uint32{}
	for _, s := range sequences {
		for _, b := range text[:s.literals] {
			litlens[b]++
		}
		litlens[deflateFirstLen+int(deflateLengthSymbol[s.length%256])%32]++
		distances[s.slot%deflateFixedDistances]++
		text = text[int(s.literals)+int(s.length)+deflateMinMatch:]
	}
	for _, b := range text {
		litlens[b]++
	}
	litlens[deflateEnd] = 1
}

// cost returns how many bits the counted symbols take in codes of those lengths,
// extra bits included.
func (c *deflateCoder) cost(litlens *[deflateFixedLitlens]uint8, distances *[deflateFixedDistances]uint8) int {
	n := uint32(0)
	for s, k := range c.litlens {
		n += k * uint32(litlens[s])
	}
	for s, r := range deflateLengthRange {
		n += c.litlens[deflateFirstLen+s] * uint32(r.extra)
	}
	for s, r := range deflateDistanceRange {
		n += c.distances[s] * uint32(distances[s]+r.extra)
	}
	return int(n)
}

// makeHeader makes the header from the code lengths, which it writes as runs.
func (c *deflateCoder) makeHeader() {
	h := &c.header
	h.litlens = atLeast(c.litlenLengths[:deflateLitlens], deflateMinLitlens)
	h.distances = atLeast(c.distanceLengths[:deflateDistances], deflateMinDistances)
	// Runs go on from the one to the other.
	var lengths [deflateLitlens + deflateDistances]uint8
	copy(lengths[:], c.litlenLengths[:h.litlens])
	n := h.litlens + copy(lengths[h.litlens:], c.distanceLengths[:h.distances])
	h.size = 0
	clear(c.pres[:])
	for i := 0; i < n; {
		l, from := lengths[i], i
		for i < n && lengths[i] == l {
			i++
		}
		c.run(l, i-from)
	}
	c.huffman.lengths(c.preLengths[:], c.pres[:], deflatePreBits)
	h.pres = deflatePreCodes
	for h.pres > deflateMinPreCodes && c.preLengths[deflatePreOrder[h.pres-1]] == 0 {
		h.pres--
	}
	h.bits = 14 + 3*h.pres
	for s, k := range c.pres {
		h.bits += int(k) * int(c.preLengths[s])
	}
	for s, extra := range deflatePreExtra {
		h.bits += int(c.pres[deflateRepeat+s]) * int(extra)
	}
}

// atLeast returns the number of lengths without the zeros at the end, but least.
func atLeast(lengths []uint8, least int) int {
	n := len(lengths)
	for n > least && lengths[n-1] == 0 {
		n--
	}
	return n
}

// run adds n code lengths l to the header.
func (c *deflateCoder) run(l uint8, n int) {
	if l == 0 {
		for ; n >= 11; n -= min(n, 138) {
			c.item(deflateManyZeros, min(n, 138)-11)
		}
		if n >= 3 {
			c.item(deflateZeros, n-3)
			return
		}
	} else if n >= 4 {
		c.item(int(l), 0)
		for n--; n >= 3; {
			k := min(n, 6)
			if n == 7 || n == 8 {
				k = n - 3 // rather two runs than a run and single ones
			}
			c.item(deflateRepeat, k-3)
			n -= k
		}
	}
	for ; n > 0; n-- {
		c.item(int(l), 0)
	}
}

func (c *deflateCoder) item(symbol, extra int) {
	c.header.items[c.header.size] = uint16(symbol | extra<<deflateItemShift)
	c.header.size++
	c.pres[symbol]++
}

// makeCodes makes the codes from their lengths.
func (c *deflateCoder) makeCodes() {
	canonicalCodes(c.litlenCodes[:], c.litlenLengths[:])
	canonicalCodes(c.distanceCodes[:], c.distanceLengths[:])
	for s, r := range deflateLengthRange {
		e := c.litlenCodes[deflateFirstLen+s]
		extra := e&deflateCodeLen + deflateCodeShift // where the extra bits begin
		e += uint32(r.extra)
		// The longest match has a symbol of its own, which comes last.
		m := c.matchCodes[r.base-deflateMinMatch:]
		for x := range m[:min(1<<r.extra, len(m))] {
			m[x] = e + uint32(x)<<(extra&31)
		}
	}
}

// canonicalCodes makes the canonical prefix code with these lengths.
func canonicalCodes(codes []uint32, lengths []uint8) {
	var count, next [deflateMaxBits + 1]uint16
	for _, l := range lengths {
		count[l%(deflateMaxBits+1)]++
	}
	count[0] = 0
	for l := 1; l <= deflateMaxBits; l++ {
		next[l] = (next[l-1] + count[l-1]) << 1
	}
	for s, l := range lengths {
		k := next[l%(deflateMaxBits+1)]
		next[l%(deflateMaxBits+1)]++
		codes[s] = uint32(bits.Reverse16(k))>>(16-l&31)<<deflateCodeShift | uint32(l)
	}
}
