package compress

import (
	"encoding/binary"
	"math/bits"
)

// The decoders of a sequence's three fields (RFC 8878, 4.1.1). A state is 64
// bits, so that one load has all of it and one sum of three states has the sums
// of their numbers of bits:
//
//	bits 0-7    bits that the next state takes
//	bits 8-15   bits of the field beyond its base value
//	bits 16-24  the next state, to which the former are added
//	bits 25-33  those bits, all set
//	bits 34-63  base value
const (
	stateBeyond = 8
	stateNext   = 16
	stateMask   = 25
	stateBase   = 34
)

const (
	minStatesLog = 5
	maxStatesLog = 9
	maxStates    = 1 << maxStatesLog
)

// zstdStates is such a decoder: its first 1<<log states are in use, and none of
// them leads to one beyond.
type zstdStates struct {
	log   int
	state [maxStates]uint64
}

// zstdField is what the format fixes for a field of sequences.
type zstdField struct {
	codes      [64]uint64 // of each code, the state's bits and base value
	count      int        // codes there are
	maxLog     int
	predefined zstdStates
}

// The fields in the order of a section's header, and of the initial states.
const (
	fieldLiterals = iota
	fieldOffset
	fieldMatch
	zstdFieldCount
)

// zstdFields is not written to after the start.
var zstdFields = [zstdFieldCount]zstdField{
	newZstdField(lengthCodes(0, 16, []int{1, 1, 1, 1, 2, 2, 3, 3, 4}, 6), 9, 6, []int16{
		4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2,
		2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
	}),
	newZstdField(offsetCodes(), 8, 5, []int16{
		1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
	}),
	newZstdField(lengthCodes(3, 32, []int{1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5}, 7), 9, 6, []int16{
		1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
		1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1,
	}),
}

func newZstdField(codes []uint64, maxLog, log int, predefined []int16) zstdField {
	f := zstdField{count: len(codes), maxLog: maxLog}
	copy(f.codes[:], codes)
	var norm [64]int16
	copy(norm[:], predefined)
	f.predefined.build(&norm, len(predefined), log, &f.codes)
	return f
}

// lengthCodes returns the codes of lengths: single ones for exact lengths from
// base on, then codes of those bits, then of next bits and one more each, up to 16.
func lengthCodes(base uint64, single int, sizes []int, next int) (codes []uint64) {
	add := func(size int) {
		codes = append(codes, base<<stateBase|uint64(size)<<stateBeyond)
		base += 1 << size
	}
	for range single {
		add(0)
	}
	for _, size := range sizes {
		add(size)
	}
	for ; next <= 16; next++ {
		add(next)
	}
	return codes
}

// offsetCodes returns the codes of offsets: code n has n bits. The base values of
// the last, far beyond any page, are cut to what fits.
func offsetCodes() (codes []uint64) {
	for n := range 32 {
		codes = append(codes, uint64(1)<<min(n, 29)<<stateBase|uint64(n)<<stateBeyond)
	}
	return codes
}

// stateSteps has for tables of 1<<log states, log-minStatesLog being the index,
// and for the x-th visit of a code how the state leads on. The x of a code of p
// parts goes from p to 2*p-1.
var stateSteps = func() (steps [maxStatesLog - minStatesLog + 1][2 * maxStates]uint64) {
	for i := range steps {
		log := i + minStatesLog
		for x := 1; x < 2<<log; x++ {
			takes := log + 1 - bits.Len(uint(x))
			steps[i][x] = uint64(takes) | (1<<takes-1)<<stateMask | uint64(x<<takes-1<<log)<<stateNext
		}
	}
	return steps
}()

// read sets up the decoder from a description at the start of src and returns
// its length in bytes.
func (t *zstdStates) read(src []byte, f *zstdField) (n int, ok bool) {
	var norm [64]int16
	symbols, log, n, ok := readFSEHeader(src, &norm, f.count-1, f.maxLog)
	if !ok {
		return 0, false
	}
	t.build(&norm, symbols, log, &f.codes)
	return n, true
}

// copy sets up the decoder like another one.
func (t *zstdStates) copy(from *zstdStates) {
	t.log = from.log
	copy(t.state[:1<<from.log], from.state[:])
}

// single sets up a decoder that has one code only.
func (t *zstdStates) single(code uint64) { t.log, t.state[0] = 0, code }

// build sets up the decoder for a valid distribution.
func (t *zstdStates) build(norm *[64]int16, symbols, log int, codes *[64]uint64) {
	buildStates(t.state[:], norm, symbols, log, codes)
	t.log = log
}

// buildStates writes the 1<<log states for a valid distribution.
func buildStates(state []uint64, norm *[64]int16, symbols, log int, codes *[64]uint64) {
	size := 1 << (log & 15)
	state = state[:size]
	mask := len(state) - 1
	var visits [64]uint16          // of each code, counted from its probability on
	var parts [maxStates + 16]byte // each code as often as it has parts
	// Codes of less than one part have one state each, at the end.
	n, last := 0, mask
	for s, p := range norm[:symbols] {
		visits[s&63] = uint16(p)
		if p < 0 {
			visits[s&63] = 1
			state[last&mask] = uint64(s)
			last--
			continue
		}
		eight := uint64(s) * 0x0101010101010101
		for k := 0; ; k += 16 {
			to := (*[16]byte)(parts[n+k:])
			binary.LittleEndian.PutUint64(to[:], eight)
			binary.LittleEndian.PutUint64(to[8:], eight)
			if k+16 >= int(p) {
				break
			}
		}
		n += int(p)
	}
	// The others are spread over the rest in steps.
	pos, step := 0, size>>1+size>>3+3
	for _, s := range parts[:n] {
		state[pos&mask] = uint64(s)
		for pos = (pos + step) & mask; pos > last; {
			pos = (pos + step) & mask
		}
	}
	steps := &stateSteps[log-minStatesLog]
	for i, s := range state {
		x := visits[s&63]
		visits[s&63] = x + 1
		state[i] = codes[s&63] | steps[x&(2*maxStates-1)]
	}
}
