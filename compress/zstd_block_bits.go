package compress

const (
	// zstdSequenceRoom is more than one sequence or the end of a section take, 8
	// bytes of slack included.
	zstdSequenceRoom = 24
	// zstdSplitSize is the number of sequences that are taken apart at once, more
	// than most pages have.
	zstdSplitSize = 512
)

// zstdSplit has the bits of sequences: their codes, and all that is not coded.
// Taken apart before, they leave the loop over the states registers enough.
type zstdSplit struct {
	codes [zstdSplitSize]uint32 // lit, match<<8, off<<16, and the number of extra bits from bit 24 on
	extra [zstdSplitSize]uint64 // of lit, then match, then off
}

// set takes up to zstdSplitSize sequences apart.
func (f *zstdSplit) set(seqs []zstdSequence) {
	for i := range seqs[:min(len(seqs), zstdSplitSize)] {
		q := &seqs[i]
		lit, match, off := litCode(uint32(q.lit)), matchCode(uint32(q.match)), offCode(q.off)
		k := lit >> 8
		bits := uint64(uint32(q.lit) & (1<<(k&31) - 1))
		bits |= uint64(uint32(q.match)&(1<<(match>>8&31)-1)) << (k & 63)
		k += match >> 8
		bits |= uint64(q.off^1<<(off&31)) << (k & 63)
		k += off
		f.extra[i] = bits
		f.codes[i] = lit&255 | match&255<<8 | off<<16 | k<<24
	}
}

// splitStart returns where the last of n sequences begin that are taken apart at
// once.
func splitStart(n int) int { return max(n-1, 0) &^ (zstdSplitSize - 1) }

// write writes the bits of the sequences at dst[o:], the last one first, and
// returns where they end, or len(dst) if they do not fit. There is one at least,
// and count has taken the last ones apart.
//
// Of one sequence the states take up to 26 bits, the extra bits of both lengths 30
// and those of the offset 23.
//
// In range: a store begins at most 8 bytes behind an o that does not pass end.
func (e *zstdSequenceEncoder) write(dst []byte, o int, seqs []zstdSequence) int {
	end := len(dst) - zstdSequenceRoom
	start := splitStart(len(seqs))
	i := len(seqs) - start - 1
	codes := e.split.codes[i&(zstdSplitSize-1)]
	x, y, z := e.lit.table.first(codes), e.match.table.first(codes>>8), e.off.table.first(codes>>16)
	rest, n := e.split.extra[i&(zstdSplitSize-1)], codes>>24
	for {
		for i--; i >= 0; i-- {
			if o > end {
				return len(dst)
			}
			store64(dst, o, rest)
			o += int(n >> 3)
			rest >>= n &^ 7 & 63
			n &= 7
			codes, extra := e.split.codes[i&(zstdSplitSize-1)], e.split.extra[i&(zstdSplitSize-1)]
			z, rest, n = e.off.table.step(z, codes>>16, rest, n)
			y, rest, n = e.match.table.step(y, codes>>8, rest, n)
			x, rest, n = e.lit.table.step(x, codes, rest, n)
			if n+codes>>24 > 63 {
				store64(dst, o, rest)
				o += int(n >> 3)
				rest >>= n &^ 7 & 63
				n &= 7
			}
			rest |= extra << (n & 63)
			n += codes >> 24
		}
		if start == 0 {
			break
		}
		seqs = seqs[:start]
		start -= zstdSplitSize
		e.split.set(seqs[start:])
		i = zstdSplitSize
	}
	if o > end {
		return len(dst)
	}
	store64(dst, o, rest)
	o += int(n >> 3)
	rest >>= n &^ 7 & 63
	n &= 7
	rest |= uint64(y&(1<<(e.match.table.log&15)-1)) << n
	n += uint32(e.match.table.log)
	rest |= uint64(z&(1<<(e.off.table.log&15)-1)) << (n & 63)
	n += uint32(e.off.table.log)
	rest |= uint64(x&(1<<(e.lit.table.log&15)-1)) << (n & 63)
	n += uint32(e.lit.table.log)
	store64(dst, o, rest|1<<(n&63)) // the mark of the end
	return o + int(n>>3) + 1
}
