package compress

import (
	"encoding/binary"
	"math/bits"
)

// fseRound has, by states already given, the fraction (in 2^-32) of a state from
// which one more pays off: the geometric mean of both counts. Of nothing any
// fraction is enough, as each symbol in use needs a state.
var fseRound = [8]uint64{0, 1779033703, 1930543745, 1993301259, 2027808485, 2049668237, 2064765577, 2075821146}

// normalize distributes 1<<log states to symbols by their counts, at least one to
// each in use. Of those there are two or more, and no more than states. total is
// the sum of counts.
func (f *fseNorm) normalize(counts []uint16, total uint32, log uint) {
	step := uint64(1) << (32 + log) / uint64(total)
	left := int32(1) << log
	largest := uint64(0) // states above symbol
	for s, c := range counts[:min(len(counts), fseSymbols)] {
		x := uint64(c) * step
		p := x >> 32
		p += (fseRound[min(p, 7)] - x&(1<<32-1)) >> 63 // 1 if the fraction is above
		largest = max(largest, p<<8|uint64(s))
		f[s] = int16(p)
		left -= int32(p)
	}
	if -left <= int32(largest>>9) {
		f[largest&(fseSymbols-1)] += int16(left)
		return
	}
	f.take(counts, int(-left))
}

// take takes n states back, one after the other from the symbol that loses least.
func (f *fseNorm) take(counts []uint16, n int) {
	for ; n > 0; n-- {
		best, least := 0, uint32(1<<32-1)
		for s, c := range counts {
			p := f[s&(fseSymbols-1)]
			if p < 2 {
				continue
			}
			loss := uint32(c) * uint32(fseLog2[p&(fseMaxStates-1)]-fseLog2[(p-1)&(fseMaxStates-1)])
			if loss < least {
				best, least = s, loss
			}
		}
		f[best]--
	}
}

// bits returns what counts cost, in 256ths of a bit.
func (f *fseNorm) bits(counts []uint16, total uint32, log uint) uint32 {
	cost := total * uint32(log) << 8
	for s, c := range counts[:min(len(counts), fseSymbols)] {
		cost -= uint32(c) * uint32(fseLog2[f[s]&(fseMaxStates-1)])
	}
	return cost
}

// write writes the norms of symbols 0 to last, which has one, as the header of a
// table at dst[o:], and returns where it ends. dst has 100 bytes from there.
func (f *fseNorm) write(dst []byte, o, last int, log uint) int {
	rest, n := uint64(log-fseMinLog), uint(4)
	left := uint(1) << log // states that the symbols to come have
	for s := 0; s <= last; s++ {
		p := f[s&(fseSymbols-1)]
		// A value of 0 to left+1 takes size bits, the low ones a bit less.
		size := uint(bits.Len(left + 1))
		half := uint(1) << ((size - 1) & 31)
		short := 2*half - 2 - left
		v := uint(p + 1)
		code := v
		if v >= half {
			code = v + short
		}
		if v < short {
			size--
		}
		rest |= uint64(code) << (n & 63)
		n += size
		left -= uint(p)
		if p == 0 {
			zeros := uint(0) // that follow
			for f[(s+1)&(fseSymbols-1)] == 0 {
				s++
				zeros++
			}
			threes := 2 * (zeros / 3) // two bits for each three, and for the others
			rest |= (1<<(threes&63) - 1 | uint64(zeros%3)<<(threes&63)) << (n & 63)
			n += threes + 2
		}
		binary.LittleEndian.PutUint64(dst[o:], rest)
		o += int(n >> 3)
		rest >>= n &^ 7 & 63
		n &= 7
	}
	return o + int(n+7)>>3
}
