package compress

import (
	"encoding/binary"
	"math/bits"
)

const (
	// zstdFewLiterals are so few that a code does not pay.
	zstdFewLiterals = 24
	// zstdManyKinds of literals, none of them frequent, are not worth a trial.
	zstdManyKinds = 224
	// zstdSingleStream is the number of literals up to which one stream holds
	// them; the format allows that below 1024. Four are quicker to decode.
	zstdSingleStream = 256
	zstdJumpTable    = 6 // bytes, the lengths of three of four streams
)

// zstdLiteralEncoder writes the literals section of a block.
type zstdLiteralEncoder struct {
	parts   [4][256]uint16 // counts of every fourth literal
	counts  [256]uint32
	lengths [256]uint8
	builder huffmanBuilder
	code    zstdCode
	tree    zstdTree
}

// encode writes the section to dst and returns its length, at most 3 bytes more
// than that of the literals. dst has 256 bytes more than the section.
func (e *zstdLiteralEncoder) encode(dst, literals []byte, tables *zstdTables) int {
	n := len(literals)
	if n <= zstdFewLiterals && tables == nil {
		return zstdRawLiterals(dst, literals)
	}
	used, most := e.count(literals)
	if most == uint32(n) && n > 0 {
		o := zstdPlainHeader(dst, zstdLiteralsRLE, n)
		dst[o] = literals[0]
		return o + 1
	}
	single := n <= zstdSingleStream
	header := zstdCodedHeaderSize(n)
	extra := header + 1 // beside tree and codes; a stream ends with up to a byte
	if !single {
		extra = header + zstdJumpTable + 4
	}
	best := zstdPlainHeaderSize(n) + n - n>>6 // a bit less would not be worth its decoding
	kind, code, o := zstdLiteralsRaw, (*zstdCode)(nil), header
	if tables != nil {
		if size, ok := tables.literalBytes(&e.counts); ok && extra+size < best {
			best, kind, code = extra+size, zstdLiteralsTreeless, &tables.code
		}
	}
	if n > zstdFewLiterals && (used < zstdManyKinds || most > uint32(n)>>7+4) {
		e.builder.lengths(e.lengths[:], e.counts[:], zstdHuffmanLimit(n, used))
		if size := extra + int(e.builder.cost>>3); size < best {
			end, ok := e.tree.write(dst, header, &e.lengths, &e.builder)
			if ok && size+end-header < best {
				kind, code, o = zstdLiteralsCoded, &e.code, end
				e.code.assign(&e.lengths, &e.builder.perLength, e.builder.longest)
			}
		}
	}
	if code == nil {
		return zstdRawLiterals(dst, literals)
	}
	if single {
		o = code.encode(dst, o, literals)
	} else {
		o = code.encodeFour(dst, o, literals)
	}
	zstdCodedHeader(dst, kind, n, o-header, single)
	return o
}

// encodeFour writes src as four streams of nearly equal numbers of literals, with
// a table of their lengths before them.
func (c *zstdCode) encodeFour(dst []byte, o int, src []byte) int {
	part := (len(src) + 3) / 4
	jump := o
	o += zstdJumpTable
	for k := range 3 {
		start := o
		o = c.encode(dst, o, src[k*part:(k+1)*part])
		binary.LittleEndian.PutUint16(dst[jump+2*k:], uint16(o-start))
	}
	return c.encode(dst, o, src[3*part:])
}

// zstdHuffmanLimit returns the most bits for a code of n literals, of as many
// kinds. Codes longer than this gain less than they add to the description.
func zstdHuffmanLimit(n, used int) int {
	return min(max(bits.Len(uint(n-1))-2, bits.Len(uint(used-1))), zstdHuffmanMaxBits)
}

// count sets counts and returns how many kinds of literals there are, and the
// largest count.
func (e *zstdLiteralEncoder) count(literals []byte) (used int, most uint32) {
	e.parts = [4][256]uint16{}
	i := 0
	for ; i+8 <= len(literals); i += 8 {
		w := load64(literals, i)
		e.parts[0][w&255]++
		e.parts[1][w>>8&255]++
		e.parts[2][w>>16&255]++
		e.parts[3][w>>24&255]++
		e.parts[0][w>>32&255]++
		e.parts[1][w>>40&255]++
		e.parts[2][w>>48&255]++
		e.parts[3][w>>56]++
	}
	for _, s := range literals[i:] {
		e.parts[0][s]++
	}
	for s := range e.counts {
		c := uint32(e.parts[0][s]) + uint32(e.parts[1][s]) + uint32(e.parts[2][s]) + uint32(e.parts[3][s])
		e.counts[s] = c
		most = max(most, c)
		if c != 0 {
			used++
		}
	}
	return used, most
}
