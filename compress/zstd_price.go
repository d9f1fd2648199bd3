package compress

import "math/bits"

const (
	// zstdBit is the price of a bit.
	zstdBit = 256

	zstdOffsetCodes = 32
)

// zstdPrices has what literals cost, and the values of a sequence, extra bits
// included.
type zstdPrices struct {
	literal [256]uint32
	lit     [64]uint32              // by code
	match   [64]uint32              // by code
	short   [zstdMatchPlain]uint32  // of a match, by length less zstdMinMatch
	offset  [zstdOffsetCodes]uint32 // by code
}

func (z *zstdPrices) lits(n int) uint32 { return z.lit[litCode(uint32(n))&63] }

func (z *zstdPrices) size(n int) uint32 {
	if n -= zstdMinMatch; n < zstdMatchPlain {
		return z.short[n]
	}
	return z.match[matchCode(uint32(n))&63]
}

func (z *zstdPrices) off(v int) uint32 { return z.offset[offCode(uint32(v))%zstdOffsetCodes] }

// learn takes the prices from a page that was taken apart.
func (z *zstdPrices) learn(p *zstdParse) {
	var literal [256]uint32
	var lit, match [64]uint32
	var off [zstdOffsetCodes]uint32
	for _, b := range p.literals[:p.lits] {
		literal[b]++
	}
	for _, s := range p.seqs[:p.n] {
		lit[litCode(uint32(s.lit))&63]++
		match[matchCode(uint32(s.match))&63]++
		off[offCode(s.off)%zstdOffsetCodes]++
	}
	zstdPrice(z.literal[:], literal[:], nil)
	zstdPrice(z.lit[:zstdLitCodes], lit[:], zstdLitExtra[:])
	zstdPrice(z.match[:zstdMatchCodes], match[:], zstdMatchExtra[:])
	zstdPrice(z.offset[:], off[:], nil)
	for code := range z.offset {
		z.offset[code] += uint32(code) * zstdBit
	}
	for n := range z.short {
		z.short[n] = z.match[matchCode(uint32(n))&63]
	}
}

// level makes a literal cost a byte.
func (z *zstdPrices) level() {
	for b := range z.literal {
		z.literal[b] = 8 * zstdBit
	}
}

// zstdPrice sets the prices of codes from how often they came. Each is taken for
// one more, so that one that never came has a price.
func zstdPrice(prices, counts []uint32, extra []uint8) {
	total := uint32(len(prices))
	for s := range prices {
		total += counts[s]
	}
	for s := range prices {
		prices[s] = zstdLog2(total) - zstdLog2(counts[s]+1)
	}
	for s, n := range extra {
		prices[s] += uint32(n) * zstdBit
	}
}

// zstdLog2 returns about the logarithm of v, which is not 0, in zstdBit.
func zstdLog2(v uint32) uint32 {
	n := bits.Len32(v) - 1
	return uint32(n-1)*zstdBit + v<<8>>n
}
