package compress

import "math/bits"

const (
	literalMaxBits = 11 // of a literal's code
	weightMaxLog   = 6  // of the decoder of weights
)

// zstdLiterals decodes literals: the next 11 bits name the entry, which has the
// length of the code in its low byte and the literal in its high one.
type zstdLiterals [1 << literalMaxBits]uint16

// read sets up the decoder from the description of a Huffman tree that begins at
// src[start] (RFC 8878, 4.2.1) and returns its length in bytes, at most
// end-start.
func (t *zstdLiterals) read(src []byte, start, end int) (n int, ok bool) {
	if start >= end {
		return 0, false
	}
	var weights [256]uint8
	n = int(src[start])
	count := n - 127
	if count > 0 {
		n = (count + 1) / 2
	}
	start++
	if n > end-start {
		return 0, false
	}
	if count > 0 {
		for i, b := range src[start : start+n] {
			weights[2*i&255], weights[(2*i+1)&255] = b>>4, b&15
		}
	} else if count, ok = readWeights(&weights, src, start, start+n); !ok {
		return 0, false
	}
	return n + 1, t.build(&weights, count)
}

// weightCodes are the weights as codes of states.
var weightCodes = func() (codes [64]uint64) {
	for i := range codes {
		codes[i] = uint64(i) << stateBase
	}
	return codes
}()

// readWeights decodes weights from src[start:end] and returns their number, at
// most 255.
func readWeights(weights *[256]uint8, src []byte, start, end int) (count int, ok bool) {
	var norm [64]int16
	symbols, log, n, ok := readFSEHeader(src[start:end], &norm, literalMaxBits, weightMaxLog)
	if !ok {
		return 0, false
	}
	var state [1 << weightMaxLog]uint64
	buildStates(state[:], &norm, symbols, log, &weightCodes)
	b, ok := openBackward(src, start+n, end)
	if b.left -= 2 * log; !ok || b.left < 0 {
		return 0, false
	}
	w := peekBackward(b.in, b.left+2*log)
	s1 := state[topBits(w, uint64(log))&63]
	s2 := state[topBits(w<<log, uint64(log))&63]
	// Four of each state take 48 bits, so that none of them meets the start.
	for b.left >= 48 && count <= 255-8 {
		w := b.peek()
		took := uint64(0)
		for range 4 {
			weights[count&255] = uint8(s1 >> stateBase)
			weights[(count+1)&255] = uint8(s2 >> stateBase)
			count += 2
			takes := s1 & 63
			s1 = state[(s1>>stateNext+topBits(w, takes))&63]
			w <<= takes
			took += takes
			takes = s2 & 63
			s2 = state[(s2>>stateNext+topBits(w, takes))&63]
			w <<= takes
			took += takes
		}
		b.left -= int(took)
	}
	// The state that finds no more bits is the last but one.
	for ; count < 254; count++ {
		weights[count] = uint8(s1 >> stateBase)
		w := b.peek()
		takes := s1 & 63
		if b.left -= int(takes); b.left < 0 {
			weights[count+1] = uint8(s2 >> stateBase)
			return count + 2, true
		}
		s1, s2 = s2, state[(s1>>stateNext+topBits(w, takes))&63]
	}
	return 0, false
}

// weightLanes is in how many parts the literals are counted and sorted, in turns:
// a counter would have to wait for itself when a weight follows itself.
const weightLanes = 4

// weightCounts has how many literals of each weight a lane has; then, while they
// are sorted, the place of the next one.
type weightCounts [weightLanes][16]uint8

// inLanes returns the lanes of count weights and of 0 to 3 behind them.
func inLanes(weights *[256]uint8, count int) (a, b, c, d []uint8) {
	n := (count + weightLanes - 1) / weightLanes
	return weights[:n], weights[n:][:n], weights[2*n:][:n], weights[3*n:][:n] // n is 64 at most
}

// build sets up the decoder for the weights of the first literals, at most 255;
// that of the next one is what the others leave.
func (t *zstdLiterals) build(weights *[256]uint8, count int) bool {
	weights[count] = 0 // until it is known
	count++
	a, b, c, d := inLanes(weights, count)
	var r weightCounts
	for i := range a {
		r[0][a[i]&15]++
		r[1][b[i]&15]++
		r[2][c[i]&15]++
		r[3][d[i]&15]++
	}
	sum := 0
	for w := 1; w < 16; w++ {
		sum += (int(r[0][w]) + int(r[1][w]) + int(r[2][w]) + int(r[3][w])) << w >> 1
	}
	size := bits.Len(uint(sum))
	rest := 1<<size - sum
	if size == 0 || size > literalMaxBits || rest&(rest-1) != 0 {
		return false
	}
	last := bits.Len(uint(rest))
	weights[count-1] = uint8(last)
	lane := &r[(count-1)/len(a)&(weightLanes-1)]
	lane[0]--
	lane[last&15]++
	if r[0][1]|r[1][1]|r[2][1]|r[3][1] == 0 {
		return false // all codes are longer than they have to be
	}
	var sorted [256]uint8
	ends := r.sort(&sorted, weights, count)
	t.fill(&sorted, &ends, size)
	return true
}

// sort puts the literals in the order of their weights and returns where each
// weight ends. Those of weight 0 come last.
func (r *weightCounts) sort(sorted *[256]uint8, weights *[256]uint8, count int) (ends [16]int) {
	place := 0
	for k := range 16 {
		w := (k + 1) & 15
		for lane := range r {
			r[lane][w], place = uint8(place), place+int(r[lane][w])
		}
		ends[w] = place
	}
	a, b, c, d := inLanes(weights, count)
	n := len(a)
	for i := range a {
		to := &r[0][a[i]&15]
		sorted[*to] = uint8(i)
		*to++
		to = &r[1][b[i]&15]
		sorted[*to] = uint8(n + i)
		*to++
		to = &r[2][c[i]&15]
		sorted[*to] = uint8(2*n + i)
		*to++
		to = &r[3][d[i]&15]
		sorted[*to] = uint8(3*n + i)
		*to++
	}
	return ends
}

// fill writes the entries for codes of at most size bits. A literal of weight w
// has its code size+1-w bits long, and all entries that begin with it.
func (t *zstdLiterals) fill(sorted *[256]uint8, ends *[16]int, size int) {
	o, i := 0, 0
	for w := 1; w <= size; w++ {
		length := size + 1 - w
		width := 1 << (literalMaxBits - length)
		for ; i < ends[w]; i++ {
			v := (uint64(sorted[i])<<8 | uint64(length)) * 0x1000100010001
			// Entries too many become the next literal's. The last one has 8 or more:
			// as there are 256 literals at most, not all have codes of 9 bits.
			for end := o + width; o < end; o += 8 {
				p := (*[8]uint16)(t[o : o+8 : o+8])
				p[0], p[1], p[2], p[3] = uint16(v), uint16(v>>16), uint16(v>>32), uint16(v>>48)
				p[4], p[5], p[6], p[7] = uint16(v), uint16(v>>16), uint16(v>>32), uint16(v>>48)
			}
			if width < 8 {
				o += width - 8
			}
		}
	}
}
