package compress

import (
	"hash/crc32"
	"math/bits"
)

// sw842Sum makes the checksum at the end of a stream: the CRC-32 of the usual
// polynomial, but over bits in their written order, from the highest down,
// starting with 0 and not inverted at the end. The library has the one of
// reflected bits, and in hardware: so it gets the page with each byte reflected.
type sw842Sum struct {
	reflected [512]byte // a piece of the page
}

func (s *sw842Sum) of(page []byte) uint32 {
	sum := ^uint32(0) // 0 to the library, which inverts
	for len(page) > 0 {
		n := min(len(page), len(s.reflected))
		i := 0
		for ; i+8 <= n; i += 8 {
			v := load64(page, i)
			v = v>>1&0x5555555555555555 | v&0x5555555555555555<<1
			v = v>>2&0x3333333333333333 | v&0x3333333333333333<<2
			v = v>>4&0x0f0f0f0f0f0f0f0f | v&0x0f0f0f0f0f0f0f0f<<4
			store64(s.reflected[:], i, v)
		}
		for ; i < n; i++ {
			s.reflected[i] = bits.Reverse8(page[i])
		}
		sum = crc32.Update(sum, crc32.IEEETable, s.reflected[:n])
		page = page[n:]
	}
	return bits.Reverse32(^sum)
}
