package compress

import (
	"bytes"
	"encoding/binary"
)

const (
	// Bits of the frame header's descriptor (RFC 8878, 3.1.1.1.1).
	zstdSingleSegment = 1 << 5
	zstdTwoByteSize   = 1 << 6

	zstdBlockHeader = 3 // bytes
)

// putZstdHeader writes the header of the frame of a page of n bytes and returns
// its length.
func putZstdHeader(dst []byte, n int) int {
	binary.LittleEndian.PutUint32(dst, zstdMagic)
	dst[4], dst[5] = zstdSingleSegment, byte(n)
	if n < 256 {
		return 6
	}
	dst[4] |= zstdTwoByteSize
	binary.LittleEndian.PutUint16(dst[5:], uint16(n-256))
	return 7
}

// putZstdBlock writes the header of the last block.
func putZstdBlock(dst []byte, kind, size int) {
	v := size<<3 | kind<<1 | 1
	dst[0], dst[1], dst[2] = byte(v), byte(v>>8), byte(v>>16)
}

// oneByte says whether all bytes of a page are the same.
func oneByte(page []byte) bool { return len(page) > 0 && bytes.Equal(page[1:], page[:len(page)-1]) }
