package compress

import "encoding/binary"

// zstdSequence is a run of literals and the match after it.
type zstdSequence struct {
	lit   uint16 // literals before the match
	match uint16 // length of the match less 3
	off   uint32 // as the format codes it, below 2^24: 1 to 3 a repeat offset, else distance + 3
}

// zstdBlockEncoder writes the content of compressed blocks (RFC 8878, 3.1.1.3).
// It keeps nothing from one block to the next.
type zstdBlockEncoder struct {
	literals  zstdLiteralEncoder
	sequences zstdSequenceEncoder
	small     [zstdBlockRoom + zstdSequencesHeader]byte // output where dst has not enough room
}

// zstdBlockRoom is so much that a Huffman tree can be tried out without a check.
const zstdBlockRoom = 1024

// encode writes the literals section and the sequences section of a block to dst
// and returns their length, or len(dst) if they do not fit.
//
// literals are all literals of the block, those after the last match included.
// rawLiterals leaves them as they are. tables are those of the dictionary, which
// may be used again, or nil.
//
// len(dst) is at least DstSize of what the block decodes to.
func (e *zstdBlockEncoder) encode(dst, literals []byte, seqs []zstdSequence, rawLiterals bool, tables *zstdTables) int {
	if len(dst) < zstdBlockRoom {
		n := e.encode(e.small[:], literals, seqs, rawLiterals, tables)
		if n > len(dst) {
			return len(dst)
		}
		return copy(dst, e.small[:n])
	}
	o := 0
	if rawLiterals {
		o = zstdRawLiterals(dst, literals)
	} else {
		o = e.literals.encode(dst, literals, tables)
	}
	return e.sequences.encode(dst, o, seqs, tables)
}

// Types of a literals section.
const (
	zstdLiteralsRaw = iota
	zstdLiteralsRLE
	zstdLiteralsCoded
	zstdLiteralsTreeless
)

// zstdRawLiterals writes a section of literals as they are.
func zstdRawLiterals(dst, literals []byte) int {
	o := zstdPlainHeader(dst, zstdLiteralsRaw, len(literals))
	return o + copy(dst[o:], literals)
}

// zstdPlainHeaderSize is the length of the header of n literals without a code.
func zstdPlainHeaderSize(n int) int {
	switch {
	case n < 1<<5:
		return 1
	case n < 1<<12:
		return 2
	default:
		return 3
	}
}

// zstdPlainHeader writes the header of a section of n literals without a code and
// returns its length.
func zstdPlainHeader(dst []byte, kind, n int) int {
	size := zstdPlainHeaderSize(n)
	switch size {
	case 1:
		dst[0] = byte(n<<3 | kind)
	case 2:
		binary.LittleEndian.PutUint16(dst, uint16(n<<4|1<<2|kind))
	default:
		binary.LittleEndian.PutUint32(dst, uint32(n<<4|3<<2|kind))
	}
	return size
}

// zstdCodedHeaderSize is the length of the header of n literals that have a code.
func zstdCodedHeaderSize(n int) int {
	switch {
	case n < 1<<10:
		return 3
	case n < 1<<14:
		return 4
	default:
		return 5
	}
}

// zstdCodedHeader writes the header of n literals in size bytes, the tree
// included, as one stream or four.
func zstdCodedHeader(dst []byte, kind, n, size int, single bool) {
	v := uint64(kind)
	switch length := zstdCodedHeaderSize(n); {
	case single:
		v |= uint64(n)<<4 | uint64(size)<<14
	case length == 3:
		v |= 1<<2 | uint64(n)<<4 | uint64(size)<<14
	case length == 4:
		v |= 2<<2 | uint64(n)<<4 | uint64(size)<<18
	default:
		v |= 3<<2 | uint64(n)<<4 | uint64(size)<<22
	}
	for i := range zstdCodedHeaderSize(n) {
		dst[i] = byte(v >> (8 * i))
	}
}
