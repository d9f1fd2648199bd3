package compress

import "math/bits"

// Codes of lengths and offsets, as in RFC 8878, 3.1.1.3.2.1. A code stands for a
// range of values that begins at a multiple of its length, a power of two: the
// extra bits are the low bits of the value.

const (
	zstdLitCodes   = 36
	zstdMatchCodes = 53
	zstdOffCodes   = 32

	// Lengths from here on have codes that their highest bit tells.
	zstdLitPlain   = 64
	zstdMatchPlain = 128
)

// zstdLitExtra, zstdMatchExtra have the number of extra bits of each code; that of
// an offset code is the code.
var (
	zstdLitExtra   = [zstdLitCodes]uint8{16: 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	zstdMatchExtra = [zstdMatchCodes]uint8{
		32: 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
	}
)

// zstdLitCode and zstdMatchCode have the codes of short lengths, those of matches
// less 3, and above them, from bit 8 on, the number of their extra bits.
var zstdLitCode, zstdMatchCode = func() (lit [zstdLitPlain]uint16, match [zstdMatchPlain]uint16) {
	fill := func(codes []uint16, extra []uint8) {
		for code, v := 0, 0; v < len(codes); code++ {
			for range 1 << extra[code] {
				codes[v] = uint16(code) | uint16(extra[code])<<8
				v++
			}
		}
	}
	fill(lit[:], zstdLitExtra[:])
	fill(match[:], zstdMatchExtra[:])
	return lit, match
}()

// litCode returns the code of a number of literals, as zstdLitCode has it.
func litCode(lit uint32) uint32 {
	if lit < zstdLitPlain {
		return uint32(zstdLitCode[lit])
	}
	n := uint32(bits.Len32(lit))
	return n + 18 + (n-1)<<8
}

// matchCode returns the code of a match length less 3, as zstdMatchCode has it.
func matchCode(match uint32) uint32 {
	if match < zstdMatchPlain {
		return uint32(zstdMatchCode[match])
	}
	n := uint32(bits.Len32(match))
	return n + 35 + (n-1)<<8
}

// offCode returns the code of an offset value, which is not 0.
func offCode(off uint32) uint32 { return uint32(bits.Len32(off)) - 1 }

// The tables that a decoder has from the beginning (RFC 8878, 3.1.1.3.2.2).
var (
	zstdKnownLit   = known(6, zstdLitNorm[:])
	zstdKnownMatch = known(6, zstdMatchNorm[:])
	zstdKnownOff   = known(5, zstdOffNorm[:])
)

func known(log uint, norm []int16) *fseKnown {
	k := new(fseKnown)
	k.build(norm, log)
	return k
}

var zstdLitNorm = [zstdLitCodes]int16{
	4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1,
	2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1,
	-1, -1, -1, -1,
}

var zstdMatchNorm = [zstdMatchCodes]int16{
	1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1,
	-1, -1, -1, -1, -1,
}

var zstdOffNorm = [29]int16{
	1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1,
	1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
}
