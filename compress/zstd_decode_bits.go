package compress

import "math/bits"

// backward reads bits from the end of a stream to its start. It keeps the 8
// bytes before the stream too, so that wide loads stay in range to the last bit.
type backward struct {
	in   []byte
	left int // bits of the stream; below 0 it was read beyond its start
}

// openBackward opens the stream src[start:end], before which src has 8 bytes or
// more. The highest bit that is set in the last byte ends it.
func openBackward(src []byte, start, end int) (b backward, ok bool) {
	if start >= end || src[end-1] == 0 {
		return b, false
	}
	return backward{src[start-8 : end], 8*(end-start) - 9 + bits.Len8(src[end-1])}, true
}

// peek returns the next bits, highest first, at least 57 of them; those beyond
// the start are not of the stream. The caller has seen that left is not negative:
// then the load ends in the last byte at most, and begins 8 bytes before it.
func (b *backward) peek() uint64 { return peekBackward(b.in, b.left) }

func peekBackward(in []byte, left int) uint64 { return load64(in, (left+7)>>3) << (-left & 7) }

// topBits returns the highest n bits of w, at most 63.
func topBits(w, n uint64) uint64 { return w >> 1 >> (^n & 63) }
