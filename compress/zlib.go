package compress

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

// A zlib stream (RFC 1950) is a header, a raw deflate stream and the Adler-32 of
// the content.
const (
	zlibHeaderSize = 2
	zlibSumSize    = 4

	zlibDeflate   = 8 // the method, low half of the first byte
	zlibMinWindow = 8 // bits; the high half of the first byte counts from here
	zlibMaxWindow = 15
	zlibPreset    = 0x20     // flag: a dictionary is needed
	zlibLevel     = 0x2 << 6 // flags: how hard the encoder tried; for information
	zlibCheck     = 31       // divides the header as a big-endian number
)

// zlibHeader returns the header of a stream with a window of that many bytes, a
// power of two.
func zlibHeader(window int) [zlibHeaderSize]byte {
	method := byte(bits.Len(uint(window))-1-zlibMinWindow)<<4 | zlibDeflate
	h := [zlibHeaderSize]byte{method, zlibLevel}
	h[1] += byte(zlibCheck - binary.BigEndian.Uint16(h[:])%zlibCheck)
	return h
}

// isZlibHeader says whether src, at least zlibHeaderSize bytes, begins with the
// header of a stream that can be read.
func isZlibHeader(src []byte) bool {
	return src[0]&0xf == zlibDeflate && src[0]>>4 <= zlibMaxWindow-zlibMinWindow &&
		src[1]&zlibPreset == 0 && binary.BigEndian.Uint16(src)%zlibCheck == 0
}

// errFull is what a sliceWriter returns when its slice is full.
var errFull = errors.New("destination is full")

// sliceWriter writes into a slice of fixed length.
type sliceWriter struct {
	buf []byte
	n   int
}

func (w *sliceWriter) Write(p []byte) (int, error) {
	if len(p) > len(w.buf)-w.n {
		return 0, errFull
	}
	w.n += copy(w.buf[w.n:], p)
	return len(p), nil
}
