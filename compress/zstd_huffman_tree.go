package compress

import "encoding/binary"

const (
	// zstdWeightsLog is the largest size of an FSE table of weights, and
	// zstdWeights that of a description in bytes.
	zstdWeightsLog = 6
	zstdWeights    = 128
	// zstdFewWeights are so few that FSE does not pay.
	zstdFewWeights = 12
)

// zstdTree writes descriptions of Huffman codes (RFC 8878, 4.2.1): weights of all
// symbols up to the last one in use, which itself follows from the others.
type zstdTree struct {
	weights [256]uint8
	counts  [16]uint16 // of weights
	norm    fseNorm
	table   fseTable
}

// write writes the description of the code that h made last at dst[o:] and
// returns where it ends, or false if the format cannot describe the code. dst has
// 256 bytes from there.
func (t *zstdTree) write(dst []byte, o int, lengths *[256]uint8, h *huffmanBuilder) (end int, ok bool) {
	last := 255
	for lengths[last&255] == 0 {
		last--
	}
	// By length: 0 stays 0, the longest code has weight 1.
	var weight [16]uint8
	t.counts = [16]uint16{}
	used := uint16(0)
	for l := 1; l <= h.longest; l++ {
		w := h.longest + 1 - l
		weight[l&15] = uint8(w)
		t.counts[w&15] = h.perLength[l&(huffmanDepths-1)]
		used += h.perLength[l&(huffmanDepths-1)]
	}
	for s, l := range lengths {
		t.weights[s] = weight[l&15]
	}
	t.counts[t.weights[last&255]&15]--
	t.counts[0] = uint16(last) + 1 - used
	direct := zstdWeights + 1
	if last <= zstdWeights {
		direct = (last + 1) >> 1
	}
	if last > zstdFewWeights {
		if end = t.writeFSE(dst, o+1, last); end-o-1 < min(direct, zstdWeights) {
			dst[o] = byte(end - o - 1)
			return end, true
		}
	}
	if last > zstdWeights {
		return o, false
	}
	dst[o] = byte(last + zstdWeights - 1)
	t.weights[last&255] = 0 // fills up the last byte
	for i := range direct {
		dst[o+1+i] = t.weights[2*i&255]<<4 | t.weights[(2*i+1)&255]
	}
	return o + 1 + direct, true
}

// writeFSE writes the weights of n symbols coded with a table of their own and
// returns where they end; that is out of reach if one table entry is all there is.
func (t *zstdTree) writeFSE(dst []byte, o, n int) int {
	largest := 0
	for w, c := range t.counts {
		if c > 0 {
			largest = w
		}
	}
	counts := t.counts[:largest+1]
	for _, c := range counts {
		if int(c) == n {
			return len(dst)
		}
	}
	t.norm.normalize(counts, uint32(n), zstdWeightsLog)
	o = t.norm.write(dst, o, largest, zstdWeightsLog)
	t.table.build(t.norm[:largest+1], zstdWeightsLog)
	return t.encode(dst, o, t.weights[:n&255])
}

// encode writes weights, two or more, with two states that take turns.
func (t *zstdTree) encode(dst []byte, o int, weights []uint8) int {
	i := len(weights) - 3
	x, y := t.table.first(uint32(weights[i+2])), t.table.first(uint32(weights[i+1]))
	rest, n := uint64(0), uint32(0)
	for ; i > 0; i -= 2 {
		x, rest, n = t.table.step(x, uint32(weights[i]), rest, n)
		y, rest, n = t.table.step(y, uint32(weights[i-1]), rest, n)
		_ = dst[o+7] // hence in range
		store64(dst, o, rest)
		o += int(n >> 3)
		rest >>= n &^ 7 & 63
		n &= 7
	}
	if i == 0 {
		x, rest, n = t.table.step(x, uint32(weights[0]), rest, n)
		x, y = y, x
	}
	const mask = 1<<zstdWeightsLog - 1
	rest |= uint64(x&mask|y&mask<<zstdWeightsLog|1<<(2*zstdWeightsLog)) << (n & 63)
	binary.LittleEndian.PutUint64(dst[o:], rest)
	return o + int(n+2*zstdWeightsLog)>>3 + 1
}
