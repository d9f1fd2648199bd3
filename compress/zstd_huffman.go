package compress

// zstdHuffmanMaxBits is the most bits that a literal's code may have.
const zstdHuffmanMaxBits = 11

// zstdCode is a Huffman code for literals. An entry has the code in its highest
// bits and their number in the lowest 6, 0 for a symbol without code.
type zstdCode [256]uint64

// assign gives out codes by their lengths as zstd orders them: the longest first,
// from 0 on, those of one length by symbol. perLength is how many symbols have
// each length, longest the largest.
func (c *zstdCode) assign(lengths *[256]uint8, perLength *[huffmanDepths]uint16, longest int) {
	var next, step [16]uint64 // the next entry of each length, and the distance to the one after
	code := uint64(0)
	for l := longest; l > 0; l-- {
		step[l&15] = 1 << (-l & 63)
		next[l&15] = code<<(-l&63) | uint64(l)
		code = (code + uint64(perLength[l&(huffmanDepths-1)])) >> 1
	}
	for s, l := range lengths {
		c[s] = next[l&15]
		next[l&15] += step[l&15]
	}
}

// encode writes src as one stream at dst[o:], the last symbol first, and returns
// where it ends. Every symbol of src has a code. dst must have 8 bytes more than
// are written.
//
// Four codes are put together before they join the rest, so that what one has to
// wait for another is short.
func (c *zstdCode) encode(dst []byte, o int, src []byte) int {
	rest, n := uint64(0), uint64(0)
	i := len(src)
	for ; i&3 != 0; i-- {
		e := c[src[i-1]]
		rest |= e >> (-e & 63) << (n & 63)
		n += e & 63
	}
	if i&4 != 0 {
		i -= 4
		q := src[i : i+4]
		v, k := c.join(c[q[3]], c[q[2]], c[q[1]], c[q[0]])
		_ = dst[o+7]
		store64(dst, o, rest)
		o += int(n >> 3)
		rest >>= n &^ 7 & 63
		n &= 7
		rest |= v << n
		n += k
	}
	_ = dst[o+7]
	store64(dst, o, rest)
	o += int(n >> 3)
	rest >>= n &^ 7 & 63
	n &= 7
	for i > 0 {
		i -= 8
		w := load64(src, i) // in range: i is a multiple of 8 below len(src)
		_ = dst[o+15]       // hence the stores are in range: the first moves o by 6 at most
		v, k := c.join(c[w>>56], c[w>>48&255], c[w>>40&255], c[w>>32&255])
		rest |= v << n
		n += k
		store64(dst, o, rest)
		o += int(n >> 3)
		rest >>= n &^ 7 & 63
		n &= 7
		v, k = c.join(c[w>>24&255], c[w>>16&255], c[w>>8&255], c[w&255])
		rest |= v << n
		n += k
		store64(dst, o, rest)
		o += int(n >> 3)
		rest >>= n &^ 7 & 63
		n &= 7
	}
	store64(dst, o, rest|1<<n) // the mark of the end
	return o + 1
}

// join returns four codes one behind the other, and the sum of their lengths.
func (c *zstdCode) join(e0, e1, e2, e3 uint64) (v, n uint64) {
	v = e0>>(e1&63) | e1
	v = v>>(e2&63) | e2
	v = v>>(e3&63) | e3
	n = (e0 + e1 + e2 + e3) & 63
	return v >> (-n & 63), n
}
