package compress

// inflater reads raw deflate streams of a page each. The page is the window: a
// distance may reach to its beginning, whatever window the stream was made for,
// as in zlib, where the window counts only for what a call before has written.
type inflater struct {
	inflateTables
	pre     [1 << deflatePreBits]uint32
	lengths [deflateLitlens + deflateDistances + 138]uint8 // with room for the longest run
}

// bitReader is the place in a stream: the next n bits are in acc, lowest first,
// those behind them from src[i:] on. Behind the end of src it reads zeros, and
// counts them as bytes of src: i does not lie.
//
// Above the n bits acc may have more of them, or zeros.
type bitReader struct {
	acc uint64
	n   uint
	i   int
}

// refill provides at least 56 bits.
func (b bitReader) refill(src []byte) bitReader {
	if b.i+8 <= len(src) {
		b.acc |= load64(src, b.i) << (b.n & 63) // in range: just checked
		b.i += int((63 - b.n) >> 3)
		b.n |= 56
		return b
	}
	return b.refillEnd(src)
}

// refillEnd is refill for the last bytes of src.
//
//go:noinline
func (b bitReader) refillEnd(src []byte) bitReader {
	b.acc &= 1<<(b.n&63) - 1
	for ; b.n < 56; b.n += 8 {
		if b.i < len(src) {
			b.acc |= uint64(src[b.i]) << (b.n & 63)
		}
		b.i++
	}
	return b
}

// take drops k bits.
func (b bitReader) take(k uint) bitReader {
	b.acc >>= k & 63
	b.n -= k
	return b
}

// bytePos is the first byte of src of which no bit was taken.
func (b bitReader) bytePos() int { return b.i - int(b.n>>3) }

// inflate fills page from a stream, which must be the whole of src.
func (z *inflater) inflate(page, src []byte) error {
	var b bitReader
	o := 0
	for last := false; !last; {
		b = b.refill(src)
		last = b.acc&1 != 0
		kind := b.acc >> 1 & 3
		b = b.take(3)
		ok := false
		switch kind {
		case deflateStored:
			b, o, ok = inflateRaw(page, src, b, o)
		case deflateFixed:
			b, o, ok = inflateFixed.block(page, src, b, o)
		case deflateDynamic:
			if b, ok = z.header(src, b); ok {
				b, o, ok = z.block(page, src, b, o)
			}
		}
		if !ok {
			return ErrCorrupt
		}
	}
	if o != len(page) || b.bytePos() != len(src) {
		return ErrCorrupt
	}
	return nil
}

// inflateRaw reads a stored block to page[o:].
func inflateRaw(page, src []byte, b bitReader, o int) (bitReader, int, bool) {
	i := b.bytePos()
	if i+4 > len(src) {
		return b, o, false
	}
	n := int(src[i]) | int(src[i+1])<<8
	if n^deflateMaxStored != int(src[i+2])|int(src[i+3])<<8 {
		return b, o, false
	}
	i += 4
	if n > len(src)-i || n > len(page)-o {
		return b, o, false
	}
	copy(page[o:], src[i:i+n])
	return bitReader{i: i + n}, o + n, true
}

// header reads the codes of a dynamic block.
func (z *inflater) header(src []byte, b bitReader) (bitReader, bool) {
	// 14 bits, and up to 19 times 3: a refill is due in between.
	b = b.refill(src)
	litlens := int(b.acc&31) + deflateMinLitlens
	dists := int(b.acc>>5&31) + deflateMinDistances
	pres := int(b.acc>>10&15) + deflateMinPreCodes
	b = b.take(14)
	if litlens > deflateLitlens || dists > deflateDistances {
		return b, false
	}
	var pre [deflatePreCodes]uint8
	for k, s := range deflatePreOrder {
		if k == pres {
			break
		}
		if k == 14 {
			b = b.refill(src)
		}
		pre[s] = uint8(b.acc & 7)
		b = b.take(3)
	}
	// That code may have one symbol alone as well, which zlib refuses; but no block
	// is valid whose lengths are all the same.
	if !buildInflateTable(z.pre[:], deflatePreBits, pre[:], inflatePreSymbols[:]) {
		return b, false
	}
	// Without a code for the end of the block the page runs over.
	b, ok := z.codeLengths(src, b, litlens+dists)
	if !ok {
		return b, false
	}
	return b, buildInflateTable(z.litlen[:], inflateLitlenBits, z.lengths[:litlens], inflateLitlenSymbols[:]) &&
		buildInflateTable(z.dist[:], inflateDistBits, z.lengths[litlens:litlens+dists], inflateDistSymbols[:])
}

// codeLengths reads n code lengths.
func (z *inflater) codeLengths(src []byte, b bitReader, n int) (bitReader, bool) {
	lengths := &z.lengths
	for k := 0; k < n; {
		// Two lengths take up to 14 bits, and 7 more if the second is a run.
		b = b.refill(src)
		e := z.pre[b.acc&(1<<deflatePreBits-1)]
		b = b.take(uint(e & inflateTaken))
		s := e >> inflateValue
		if s < deflateRepeat {
			lengths[k] = uint8(s)
			if k++; k == n {
				break
			}
			e = z.pre[b.acc&(1<<deflatePreBits-1)]
			s = e >> inflateValue
			if s < deflateRepeat {
				b = b.take(uint(e & inflateTaken))
				lengths[k] = uint8(s)
				k++
				continue
			}
			b = b.take(uint(e & inflateTaken))
		}
		var fill uint8
		var run int
		switch s {
		case deflateRepeat:
			if k == 0 {
				return b, false
			}
			fill = lengths[k-1]
			run = 3 + int(b.acc&3)
			b = b.take(2)
		case deflateZeros:
			run = 3 + int(b.acc&7)
			b = b.take(3)
		default:
			run = 11 + int(b.acc&127)
			b = b.take(7)
		}
		for j := range run {
			lengths[k+j] = fill
		}
		k += run
		if k > n {
			return b, false
		}
	}
	return b, true
}
