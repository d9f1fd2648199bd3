package compress

import "math/bits"

const (
	// lzoMargin is how far before the end a search stops: every load and literal
	// move of the loop stays inside.
	lzoMargin = 16
	// lzoProbes is the number of neighbouring positions tried per step.
	lzoProbes = 3
	// lzoStrideBits: so many steps without a match (as a power of two) widen
	// the stride by one.
	lzoStrideBits = 5
	// lzoZeros is how many zeros begin a run. Fewer are shorter as a match.
	lzoZeros = 24
)

// lzoEncoder finds matches through a table of last positions.
//
// The buffers are fields so that the search loop holds in registers no more of
// them than it uses.
type lzoEncoder struct {
	table pageTable
	src   []byte
	dst   []byte
	runs  bool // write version 1, in which zeros are runs
}

// encode compresses src into dst and returns the length. len(src) is at most
// maxPage, len(dst) at least DstSize(len(src)).
func (z *lzoEncoder) encode(dst, src []byte) int {
	z.dst, z.src, z.table = dst, src, pageTable{}
	o := 0
	if z.runs {
		o = copy(dst, []byte{lzoFirst, lzoVersion})
	}
	// The first byte holds up to 3 literals as a match instruction does.
	dst[o] = lzoFirst
	anchor, tag := 0, o
	o++
	if len(src) > lzoMargin+lzoProbes {
		if z.runs {
			anchor, o, tag = lzoMatches[lzoRuns](z, o, tag)
		} else {
			anchor, o, tag = lzoMatches[lzoPlain](z, o, tag)
		}
	}
	switch lit := len(src) - anchor; {
	case lit > lzoLitState:
		o = z.literals(o, anchor, lit)
	case lit > 0:
		dst[tag] += byte(lit)
		o += copy(dst[o:], src[anchor:])
	case anchor == 0:
		o = tag // there are none
	}
	o += copy(dst[o:], lzoEnd[:])
	z.dst, z.src = nil, nil
	return o
}

// lzoPlain and lzoRuns are the versions 0 and 1 of the stream, told apart by their
// length. As types they give the search one loop each, compiled from one text: a
// check that version 0 has no use for costs it 3 % of its speed.
type (
	lzoPlain [0]byte
	lzoRuns  [1]byte
)

// lzoMatches writes all sequences that have a match, and returns where the
// literals after the last begin, how long the output is, and which of its bytes
// takes the number of up to 3 literals. Matches that no instruction reaches are
// passed over.
//
// In range: the search holds i <= last, so that 24 bytes may be loaded from i, 16
// moved from i and the probes after it or loaded from any candidate (which lies
// before) and from anchor (which does not lie behind). Stores without check stay
// within the 22 bytes from o that the loop asks dst for, or the 4 that literals
// leaves.
func lzoMatches[V lzoPlain | lzoRuns](z *lzoEncoder, o, tag int) (int, int, int) {
	var version V
	src, dst := z.src, z.dst
	anchor, i, last := 0, 1, len(src)-lzoMargin-(lzoProbes-1)
	for {
		var cand int
		for step := 1 << lzoStrideBits; ; step++ {
			x := load64(src, i)
			if len(version) == 1 && x == 0 && i <= len(src)-lzoZeros && load64(src, i+8)|load64(src, i+16) == 0 {
				if anchor, o, tag = z.run(o, tag, anchor, i); anchor > last {
					return anchor, o, tag
				}
				i, step = anchor, 1<<lzoStrideBits-1
				continue
			}
			if cand = z.table.swap(x, i); uint32(load64(src, cand)) == uint32(x) {
				break
			}
			if cand = z.table.swap(x>>8, i+1); uint32(load64(src, cand)) == uint32(x>>8) {
				i++
				break
			}
			if cand = z.table.swap(x>>16, i+2); uint32(load64(src, cand)) == uint32(x>>16) {
				i += 2
				break
			}
			if i += lzoProbes * (step >> lzoStrideBits); i > last {
				return anchor, o, tag
			}
		}
		found, off := i, i-cand
		e := i + matchLength(src, i, cand, load64(src, i)^load64(src, cand))
		if e >= i+16 {
			e = matchExtend(src, e, off)
		}
		if cand >= 8 {
			i -= min(matchBackward(src, i, cand), i-anchor)
		}
		lit, size := i-anchor, e-i
		if off >= lzoFarReach {
			if i = found + 1; i > last {
				return anchor, o, tag
			}
			continue
		}
		_ = dst[o+21]
		if lit <= lzoLitState {
			store8(dst, tag, dst[tag]+byte(lit))
			store32(dst, o, uint32(load64(src, anchor)))
			o += lit
		} else if lit <= 16 && anchor != 0 {
			o = z.few(o, anchor, lit)
		} else {
			o = z.literals(o, anchor, lit)
		}
		if off <= lzoMidReach && size <= lzoMidMost {
			word, mid := lzoShort(off, size)
			store32(dst, o, word)
			tag, o = o+mid, o+2+mid
		} else {
			o, tag, e = z.long(o, i, e, off)
		}
		if i, anchor = e, e; i > last {
			return anchor, o, tag
		}
		z.table.swap(load64(src, i-2), i-2)
	}
}

// run writes the literals from anchor on and the run of zeros around src[i], or
// as much of it as can be, and returns what lzoMatches does.
func (z *lzoEncoder) run(o, tag, anchor, i int) (int, int, int) {
	src, dst := z.src, z.dst
	end := matchExtend(src, i+lzoZeros, 1)
	for i > max(anchor, 1) && src[i-1] == 0 {
		i--
	}
	if lit := i - anchor; lit <= lzoLitState {
		dst[tag] += byte(lit)
		o += copy(dst[o:], src[anchor:i])
	} else {
		o = z.literals(o, anchor, lit)
	}
	o, tag, end = z.zeros(o, i, end)
	return end, o, tag
}

// zeros writes a run of zeros from i to end, or as much of it as can be.
func (z *lzoEncoder) zeros(o, i, end int) (next, tag, reached int) {
	n := min(end-i, lzoRunMost)
	v := n - lzoRunLeast
	dst := z.dst
	dst[o] = byte(lzoFar | 8 | v&7)
	dst[o+1], dst[o+2] = lzoRunMark&0xff, lzoRunMark>>8
	dst[o+3] = byte(v >> 3)
	return o + 4, o + 1, i + n
}

// few writes the instruction that copies lit literals, lzoLitState+1 to 16. dst
// must have 17 bytes.
func (z *lzoEncoder) few(o, anchor, lit int) int {
	store8(z.dst, o, byte(lit-lzoLitState))
	copy16(z.dst, o+1, z.src, anchor)
	return o + 1 + lit
}

// lzoShort returns the bytes of a near or a mid match, lowest first, and 1 for a
// mid one: it has that many bytes more, and before the one that holds the number
// of literals. Which of the two it is no branch could foretell.
func lzoShort(off, size int) (word uint32, mid int) {
	mid = int(uint((lzoNearReach-off)|(lzoNearMost-size)) >> (bits.UintSize - 1))
	near := uint32((size-1)<<5 | (off-1)&7<<2 | (off-1)>>3<<8)
	return near ^ (near^uint32(lzoMid|(size-2)|(off-1)<<10))&-uint32(mid), mid
}

// literals writes the instruction that copies src[anchor:anchor+lit], lit more
// than lzoLitState, makes sure of 4 more bytes, and returns where they begin.
func (z *lzoEncoder) literals(o, anchor, lit int) int {
	dst := z.dst
	if anchor == 0 {
		o-- // the place of the first byte
	}
	switch {
	case anchor == 0 && lit <= lzoLitFirst:
		dst[o] = byte(lzoFirst + lit)
		o++
	case lit <= lzoLitMost:
		dst[o] = byte(lit - lzoLitState)
		o++
	default:
		dst[o] = 0
		o = lzoLength(dst, o+1, lit-lzoLitMost)
	}
	_ = dst[o+lit+3]
	return o + copy(dst[o:], z.src[anchor:anchor+lit])
}

// long writes a match from i to e that has no short form. It returns the place
// of the next instruction, that of the number of literals, and where what was
// written ends: some lengths would pass for a run of zeros, which has a bound.
func (z *lzoEncoder) long(o, i, e, off int) (next, tag, end int) {
	dst := z.dst
	kind, most, low := lzoMid, lzoMidMost, off-1
	if z.runs {
		if off == 1 && z.src[i] == 0 {
			return z.zeros(o, i, e)
		}
		if off&lzoMistaken == lzoMistaken && e-i > lzoSafeSize && e-i <= lzoSafeSize+4 {
			e = i + lzoSafeSize
		}
	}
	if off > lzoMidReach {
		low = off - lzoMidReach
		kind, most = lzoFar|low>>14<<3, lzoFarMost
	}
	if size := e - i; size <= most {
		dst[o] = byte(kind + size - 2)
		o++
	} else {
		dst[o] = byte(kind)
		o = lzoLength(dst, o+1, size-most)
	}
	dst[o], dst[o+1] = byte(low<<2), byte(low>>6)
	return o + 2, o, e
}
