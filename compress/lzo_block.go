package compress

// Facts of the LZO1X stream format. An instruction copies a match and then 0 to
// 3 literals, whose number is in the two low bits of one of its bytes; a longer
// run of literals is an instruction of its own.
const (
	// The value of the first byte that has a meaning of its own: so many
	// literals and this, or this and a version.
	lzoFirst   = 17
	lzoVersion = 1 // with runs of zero bytes
	// lzoVersioned is the length of the shortest stream that has a version.
	lzoVersioned = 5

	// The lowest first byte of each kind of match instruction.
	lzoNear = 64 // 2 bytes
	lzoMid  = 32 // 3 bytes and those of the length
	lzoFar  = 16 // the same

	lzoNearReach = 2048                    // distances of a near match
	lzoMidReach  = 16384                   // distances of a mid match; those of a far match begin behind
	lzoFarReach  = lzoMidReach + 1<<15 - 1 // which is left to runs
	lzoTiny2     = 1                       // distances of the 2-byte match after 1 to 3 literals begin here
	lzoTiny3     = 2049                    // and those of the 3-byte match after more

	lzoNearMost = 8   // bytes of a near match
	lzoMidMost  = 33  // bytes of a mid match without length bytes
	lzoFarMost  = 9   // the same of a far match
	lzoLitFirst = 238 // literals that the first byte may hold
	lzoLitState = 3   // literals that the instruction before may hold
	lzoLitMost  = 18  // literals of an instruction without length bytes

	lzoByte = 255 // what a zero byte of a length stands for

	// A run of zero bytes is a far match of the greatest distance.
	lzoRunMark  = 0xfffc // of its two distance bytes, literals masked
	lzoRunLeast = 4
	lzoRunMost  = lzoRunLeast + 1<<11 - 1
	// A far match with these bits in its distance would be taken for a run if it
	// were 1 to 4 bytes longer than lzoSafeSize.
	lzoMistaken = 0x803f
	lzoSafeSize = 260
)

// lzoEnd is the instruction that ends a stream.
var lzoEnd = [3]byte{lzoFar | 1, 0, 0}

// lzoLength writes the bytes of a length of which rest, at least 1, did not fit
// into the instruction.
func lzoLength(dst []byte, o, rest int) int {
	for ; rest > lzoByte; rest -= lzoByte {
		dst[o] = 0
		o++
	}
	dst[o] = byte(rest)
	return o + 1
}
