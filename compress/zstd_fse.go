package compress

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	fseMaxLog    = 9 // of literal and match lengths; offsets have 8, Huffman weights 6
	fseMinLog    = 5
	fseMaxStates = 1 << fseMaxLog
	fseSymbols   = 64 // a power of two above the largest alphabet, 53 match lengths
)

// fseNorm has the number of a table's states that each symbol gets. -1 stands
// for one state, too, but at the end of the table; only tables from elsewhere
// have it.
type fseNorm [fseSymbols]int16

// fseSymbol says what a symbol does to state x, which counts from the table's
// size up to twice that: it writes the low n = (x+bits)>>16 bits of x, and the
// next state is next[x>>n+start], modulo 2^32.
type fseSymbol struct {
	bits  uint32
	start uint32
}

// fseTable encodes symbols with an FSE table of 1<<log states.
type fseTable struct {
	symbol [fseSymbols]fseSymbol
	next   [fseMaxStates]uint16
	log    uint8
}

// fseSpread is the room for the symbols of all states, and for a store of 8 beyond.
type fseSpread [fseMaxStates + 8]uint8

// fseInverse has by log what undoes the step between two states of a symbol,
// modulo the size of the table.
var fseInverse = func() (t [fseMaxLog + 1]uint16) {
	for log := fseMinLog; log < len(t); log++ {
		size := 1 << log
		for k := 1; k*fseStep(size)&(size-1) != 1; {
			k += 2
			t[log] = uint16(k)
		}
	}
	return t
}()

// fseStep is the step from one state to the next that gets the same symbol.
func fseStep(size int) int { return size>>1 + size>>3 + 3 }

// build sets the table up from the norms of all symbols, none negative, whose sum
// is 1<<log.
func (t *fseTable) build(norm []int16, log uint) {
	t.log = uint8(log)
	var place [fseSymbols]uint16 // where next has the symbol's first free entry
	var spread fseSpread         // symbols in the order of steps
	sum := uint32(0)
	for s, p := range norm[:min(len(norm), fseSymbols)] {
		place[s] = uint16(sum)
		t.symbol[s] = newFSESymbol(uint32(p), sum, log)
		// Most symbols have few states. What one writes too much the next
		// overwrites, so that no branch depends on its number.
		run := uint64(s) * 0x0101010101010101
		binary.LittleEndian.PutUint64(spread[sum&(fseMaxStates-1):], run)
		for k := uint32(8); k < uint32(p); k += 8 {
			binary.LittleEndian.PutUint64(spread[(sum+k)&(fseMaxStates-1):], run)
		}
		sum += uint32(p)
	}
	t.fill(&spread, &place, uint32(fseInverse[log%uint(len(fseInverse))]))
}

// newFSESymbol returns what a symbol with c states does, if sum are those of the
// symbols before.
func newFSESymbol(c, sum uint32, log uint) fseSymbol {
	most := uint32(log) + 1 - uint32(bits.Len32(c-1)) // bits that states from c<<most on write
	return fseSymbol{bits: most<<16 - c<<(most&31), start: sum - c}
}

// fill sets the states: the symbol of state u is spread[u*step].
func (t *fseTable) fill(spread *fseSpread, place *[fseSymbols]uint16, step uint32) {
	size := uint32(1) << (t.log & 15)
	k := uint32(0)
	for u := size; u < 2*size; u++ {
		p := &place[spread[k&(size-1)&(fseMaxStates-1)]&(fseSymbols-1)]
		t.next[*p&(fseMaxStates-1)] = uint16(u)
		*p++
		k += step
	}
}

// copy makes t the same as from.
func (t *fseTable) copy(from *fseTable) {
	t.log = from.log
	t.symbol = from.symbol
	copy(t.next[:], from.next[:1<<(t.log&15)])
}

// repeat sets the table up for a single symbol, which then takes no bits.
func (t *fseTable) repeat(symbol int) {
	t.log = 0
	t.symbol[symbol&(fseSymbols-1)] = fseSymbol{start: 1<<32 - 1}
	t.next[0] = 1
}

// first returns the state after the symbol that is decoded last, that of its low 6
// bits. Of the states that decode to it this one would read the most bits, so that
// a decoder that runs out of bits notices.
func (t *fseTable) first(symbol uint32) uint32 {
	if t.log == 0 {
		return 1
	}
	v := t.symbol[symbol&(fseSymbols-1)]
	most := (v.bits + 1<<15) >> 16
	c := (most<<16 - v.bits) >> (most & 31)
	return uint32(t.next[(c+v.start)&(fseMaxStates-1)])
}

// step appends what a symbol writes from state x to the n bits in rest, and
// returns the next state and the bits. The symbol is that of the low 6 bits.
func (t *fseTable) step(x, symbol uint32, rest uint64, n uint32) (uint32, uint64, uint32) {
	v := t.symbol[symbol&(fseSymbols-1)]
	k := (x + v.bits) >> 16
	rest |= uint64(x&(1<<(k&31)-1)) << (n & 63)
	return uint32(t.next[(x>>(k&31)+v.start)&(fseMaxStates-1)]), rest, n + k
}

// fseLog2 is 256 times the binary logarithm of the number of states.
var fseLog2 = func() (t [fseMaxStates + 1]uint16) {
	for n := 1; n < len(t); n++ {
		t[n] = uint16(math.Round(256 * math.Log2(float64(n))))
	}
	return t
}()

// fseKnown is a table whose norms the decoder has already.
type fseKnown struct {
	table fseTable
	cost  [fseSymbols]uint16 // 256ths of a bit for a symbol; 0 if it cannot be coded
}

// build sets the table up from norms that may be negative.
func (k *fseKnown) build(norm []int16, log uint) {
	t := &k.table
	t.log = uint8(log)
	k.cost = [fseSymbols]uint16{}
	var place [fseSymbols]uint16
	var spread fseSpread
	size, sum, high := 1<<log, 0, 1<<log
	for s, p := range norm {
		if p < 0 {
			high--
			spread[high] = uint8(s)
			p = 1
		}
		place[s] = uint16(sum)
		t.symbol[s] = newFSESymbol(uint32(p), uint32(sum), log)
		sum += int(p)
		if p > 0 {
			// A symbol that has all states costs nothing, yet can be coded.
			k.cost[s] = max(1, uint16(log)<<8-fseLog2[p])
		}
	}
	at := 0
	for s, p := range norm {
		for range p {
			spread[at] = uint8(s)
			for at = (at + fseStep(size)) & (size - 1); at >= high; {
				at = (at + fseStep(size)) & (size - 1)
			}
		}
	}
	t.fill(&spread, &place, 1)
}

// bits returns what the symbols cost, in 256ths of a bit, and whether all of
// them can be coded.
func (k *fseKnown) bits(counts []uint16) (total uint32, ok bool) {
	for s, c := range counts[:min(len(counts), fseSymbols)] {
		total += uint32(c) * uint32(k.cost[s])
		if c > 0 && k.cost[s] == 0 {
			return 0, false
		}
	}
	return total, true
}
