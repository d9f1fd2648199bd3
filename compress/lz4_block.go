package compress

// Facts of the LZ4 block format.
const (
	lz4MinMatch  = 4
	lz4LastBytes = 5   // the last bytes of a block are literals
	lz4LastMatch = 12  // no match starts closer to the end
	lz4Nibble    = 15  // from this length on, bytes follow the token's nibble
	lz4Byte      = 255 // such a byte, if another one follows
)

// lz4Literals writes a token, its low nibble given, and the literals at dst[o:],
// makes sure of 4 more bytes, and returns where they begin.
func lz4Literals(dst []byte, o int, lits []byte, nibble int) int {
	dst[o] = byte(min(len(lits), lz4Nibble)<<4 | nibble)
	o++
	if len(lits) >= lz4Nibble {
		o = lz4Length(dst, o, len(lits)-lz4Nibble)
	}
	_ = dst[o+len(lits)+3]
	return o + copy(dst[o:], lits)
}

// lz4Length writes the bytes of a length beyond the nibble.
func lz4Length(dst []byte, o, rest int) int {
	for ; rest >= lz4Byte; rest -= lz4Byte {
		dst[o] = lz4Byte
		o++
	}
	dst[o] = byte(rest)
	return o + 1
}

// lz4LengthSize is how many bytes lz4Length writes for a length, 0 if the nibble
// holds it.
func lz4LengthSize(length int) int {
	if length < lz4Nibble {
		return 0
	}
	return 1 + (length-lz4Nibble)/lz4Byte
}
