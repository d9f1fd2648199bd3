package compress

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomNorm returns a distribution of 1<<log parts, the last symbol in use.
func randomNorm(r *rand.Rand, log, most int) (norm [64]int16, symbols int) {
	left := 1 << log
	for ; left > 0; symbols++ {
		switch p := r.IntN(1 + min(left, 1<<r.IntN(log+1))); {
		case symbols == most:
			norm[symbols] = int16(left)
			left = 0
		case p == 1 && r.IntN(2) == 0:
			norm[symbols] = -1
			left--
		case r.IntN(4) > 0:
			norm[symbols] = int16(p)
			left -= p
		}
	}
	return norm, symbols
}

// writeNorm describes a distribution as RFC 8878, 4.1.1 has it, a bit at a time.
func writeNorm(norm []int16, log int) []byte {
	var all []byte // bits, the first one first
	put := func(v, n int) {
		for i := range n {
			all = append(all, byte(v>>i&1))
		}
	}
	put(log-5, 4)
	left := 1 << log
	for s := 0; s < len(norm); s++ {
		most := left + 1 // what a value may be
		size := bits.Len(uint(most))
		cut := 1<<size - 1 - most // that many values take a bit less
		switch v := int(norm[s]) + 1; {
		case v < cut:
			put(v, size-1)
		case v < 1<<(size-1):
			put(v, size)
		default:
			put(v+cut, size)
		}
		if norm[s] != 0 {
			left -= max(int(norm[s]), -int(norm[s]))
			continue
		}
		run := 0
		for norm[s+1] == 0 {
			run, s = run+1, s+1
		}
		for ; run >= 3; run -= 3 {
			put(3, 2)
		}
		put(run, 2)
	}
	var out []byte
	for part := range slices.Chunk(all, 8) {
		v := byte(0)
		for i, bit := range part {
			v |= bit << i
		}
		out = append(out, v)
	}
	return out
}

// TestReadFSEHeader reads descriptions of random distributions, in front of
// anything and of nothing, and cut short.
func TestReadFSEHeader(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		log := 5 + r.IntN(5)
		most := 1 + r.IntN(63)
		norm, symbols := randomNorm(r, log, most)
		src := writeNorm(norm[:symbols], log)
		for _, rest := range []int{0, 1, 200} {
			in := slices.Concat(src, bytes.Repeat([]byte{0xff}, rest))
			var got [64]int16
			gotSymbols, gotLog, n, ok := readFSEHeader(in, &got, symbols-1, log)
			if !ok || gotSymbols != symbols || gotLog != log || n != len(src) || !slices.Equal(got[:symbols], norm[:symbols]) {
				t.Fatalf("log %d, %v: read %t, %d symbols, log %d, %d bytes of %d, %v",
					log, norm[:symbols], ok, gotSymbols, gotLog, n, len(src), got)
			}
		}
		var got [64]int16
		if _, _, _, ok := readFSEHeader(src[:len(src)-1], &got, 63, 9); ok {
			t.Fatalf("log %d, %v: read without its last byte", log, norm[:symbols])
		}
		if _, _, _, ok := readFSEHeader(src, &got, symbols-2, 9); ok && symbols > 1 {
			t.Fatalf("log %d, %v: a symbol too many was read", log, norm[:symbols])
		}
		if _, _, _, ok := readFSEHeader(src, &got, 63, log-1); ok {
			t.Fatalf("log %d was read, at most %d wanted", log, log-1)
		}
	}
}

// TestBuildStates compares with tables made as RFC 8878, 4.1.1 says.
func TestBuildStates(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	codes := &zstdFields[fieldMatch].codes
	for range 5000 {
		log := 5 + r.IntN(5)
		norm, symbols := randomNorm(r, log, 52)
		var got [maxStates]uint64
		buildStates(got[:], &norm, symbols, log, codes)
		size := 1 << log
		table := slices.Repeat([]int{-1}, size)
		end := size
		for s, p := range norm[:symbols] {
			if p < 0 {
				end--
				table[end] = s
			}
		}
		pos := 0
		for s, p := range norm[:symbols] {
			for range p {
				table[pos] = s
				for pos = (pos + size/2 + size/8 + 3) % size; pos >= end; {
					pos = (pos + size/2 + size/8 + 3) % size
				}
			}
		}
		visits := norm
		for i, s := range table {
			x := max(int(visits[s]), -int(visits[s]))
			visits[s] = int16(x + 1)
			takes := log - bits.Len(uint(x)) + 1
			next := x<<takes - size
			state := got[i]
			if int(state&0xff) != takes || int(state>>stateNext&0x1ff) != next || int(state>>stateMask&0x1ff) != 1<<takes-1 ||
				state>>stateBase != codes[s]>>stateBase || state>>stateBeyond&0xff != codes[s]>>stateBeyond&0xff {
				t.Fatalf("log %d, %v: state %d is %x, want symbol %d, %d bits from %d on",
					log, norm[:symbols], i, state, s, takes, next)
			}
		}
	}
}

// TestZstdLiterals_Build compares with codes given out as RFC 8878, 4.2.1 says:
// the longest first, those of one length in the order of the literals.
func TestZstdLiterals_Build(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	most := 0
	for range 5000 {
		weights := randomWeights(r)
		most = max(most, len(weights))
		var in [256]uint8
		copy(in[:], weights[:len(weights)-1])
		var got zstdLiterals
		if !got.build(&in, len(weights)-1) {
			t.Fatalf("weights %d are refused", weights)
		}
		sum := 0
		for _, w := range weights {
			sum += 1 << w >> 1
		}
		size := bits.Len(uint(sum)) - 1
		next := 0
		for w := 1; w <= size; w++ {
			for s, v := range weights {
				for range (1 << literalMaxBits >> (size + 1 - w)) * boolToInt(int(v) == w) {
					if want := uint16(s<<8 | size + 1 - w); got[next] != want {
						t.Fatalf("weights %d: entry %d is %x, want %x", weights, next, got[next], want)
					}
					next++
				}
			}
		}
		if next != len(got) {
			t.Fatalf("weights %d give %d entries", weights, next)
		}
	}
	if most != 256 {
		t.Errorf("%d literals at most", most)
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// randomWeights returns a complete tree with literals left out here and there.
func randomWeights(r *rand.Rand) (weights []uint8) {
	lengths := []int{1, 1}
	for range r.IntN(300) {
		i := r.IntN(len(lengths))
		if lengths[i] < literalMaxBits && len(lengths) < 256 {
			lengths[i]++
			lengths = append(lengths, lengths[i])
		}
	}
	longest := slices.Max(lengths)
	room := 256 - len(lengths)
	for _, n := range lengths {
		for room > 0 && r.IntN(3) == 0 {
			weights = append(weights, 0)
			room--
		}
		weights = append(weights, uint8(longest+1-n))
	}
	return weights
}

// TestZstdLiterals_Refuses weights that make no tree.
func TestZstdLiterals_Refuses(t *testing.T) {
	for _, weights := range [][]uint8{
		{}, {0}, {0, 0, 0}, {12}, {15, 15}, {1, 3}, {1, 1, 4}, {2, 2}, {3}, {2, 2, 4}, {11, 11}, {1, 11},
		bytes.Repeat([]byte{11}, 255), bytes.Repeat([]byte{15}, 255), bytes.Repeat([]byte{8}, 255),
	} {
		var in [256]uint8
		copy(in[:], weights)
		var got zstdLiterals
		if got.build(&in, len(weights)) {
			t.Errorf("weights %d are taken", weights)
		}
	}
	var in [256]uint8
	in[0] = 1
	var got zstdLiterals
	if !got.build(&in, 1) {
		t.Error("a literal of weight 1 and another one are refused")
	}
}
