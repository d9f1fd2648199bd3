package compress

import (
	"encoding/binary"
	"math/bits"
)

// bitWriter writes bits from the most significant end of each byte on. dst must
// have 8 bytes more than are written.
type bitWriter struct {
	dst  []byte
	o    int    // whole bytes written
	rest uint64 // the bits behind them, highest first
	n    uint   // their number, below 8
}

// put writes the low n bits of v, whose others are 0; n is at most 57.
func (w *bitWriter) put(v uint64, n uint) {
	w.n += n
	w.rest |= v << ((64 - w.n) & 63)
	binary.BigEndian.PutUint64(w.dst[w.o:], w.rest)
	w.o += int(w.n >> 3)
	w.rest <<= w.n &^ 7 & 63
	w.n &= 7
}

// close fills up to a multiple of 8 bytes with zero bits and returns the length.
func (w *bitWriter) close() int {
	binary.BigEndian.PutUint64(w.dst[w.o:], w.rest)
	return (w.o + int(w.n+7)>>3 + 7) &^ 7
}

// peekBits returns the bits of src from bit b on, at least 57 of them, highest
// first. Behind the end they are 0.
func peekBits(src []byte, b int) uint64 {
	i := b >> 3
	if i+8 <= len(src) {
		return bits.ReverseBytes64(load64(src, i)) << (b & 7)
	}
	return peekLast(src, i) << (b & 7)
}

// peekLast returns the bytes from src[i] to the end, less than 8.
func peekLast(src []byte, i int) uint64 {
	var last [8]byte
	if i < len(src) {
		copy(last[:], src[i:])
	}
	return binary.BigEndian.Uint64(last[:])
}
