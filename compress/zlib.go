package compress

import "encoding/binary"

// A zlib stream (RFC 1950) is a header, a raw deflate stream and the Adler-32 of
// the content.
const (
	zlibHeaderSize = 2
	zlibSumSize    = 4

	zlibDeflate   = 8        // the method, low half of the first byte
	zlibMinWindow = 8        // bits; the high half of the first byte counts from here
	zlibPreset    = 0x20     // flag: a dictionary is needed
	zlibLevel     = 0x2 << 6 // flags: how hard the encoder tried; for information
	zlibCheck     = 31       // divides the header as a big-endian number
)

// zlibHeader returns the header of a stream with a window of 1<<winBits bytes.
func zlibHeader(winBits int) [zlibHeaderSize]byte {
	h := [zlibHeaderSize]byte{byte(winBits-zlibMinWindow)<<4 | zlibDeflate, zlibLevel}
	h[1] += byte(zlibCheck - binary.BigEndian.Uint16(h[:])%zlibCheck)
	return h
}

// isZlibHeader says whether src, at least zlibHeaderSize bytes, begins with the
// header of a stream that can be read with a window of 1<<winBits bytes.
func isZlibHeader(src []byte, winBits int) bool {
	return src[0]&0xf == zlibDeflate && int(src[0]>>4)+zlibMinWindow <= winBits &&
		src[1]&zlibPreset == 0 && binary.BigEndian.Uint16(src)%zlibCheck == 0
}
