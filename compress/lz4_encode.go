package compress

const (
	// lz4Margin is how far before the end a search stops. The format asks for
	// 12 bytes; with 16 every load and literal move of the loop stays inside.
	lz4Margin = 16
	// lz4Probes is the number of neighbouring positions tried per step: as
	// many as one 8-byte load has 5-byte keys, less one.
	lz4Probes = 3
	// lz4StrideBits: so many steps without a match (as a power of two) widen
	// the stride by lz4Probes bytes.
	lz4StrideBits = 6
	lz4MaxAccel   = 1 << 16
)

// lz4Encoder finds matches through a table of last positions.
//
// The buffers are fields so that the search loop holds in registers no more of
// them than it uses.
type lz4Encoder struct {
	table pageTable
	src   []byte
	dst   []byte
}

// encode compresses src[start:] into dst and returns the length. The caller has
// set the table to the positions of src[:start], where matches may lie too.
// len(src) is at most maxPage, len(dst) at least DstSize(len(src)-start).
// accel is 1 or more; each 1 above makes the search skip another byte a step.
func (z *lz4Encoder) encode(dst, src []byte, start, accel int) int {
	z.dst, z.src = dst, src
	anchor, o := start, 0
	if len(src)-start > lz4Margin+lz4Probes {
		anchor, o = z.matches(start, (lz4Probes+min(accel, lz4MaxAccel)-1)<<lz4StrideBits)
	}
	o = z.literals(o, anchor, len(src)-anchor, 0)
	z.dst, z.src = nil, nil
	return o
}

// matches writes all sequences that have a match, and returns where the
// literals after the last begin and how long the output is.
//
// In range: the search holds i+lz4Probes-1 <= limit, so that 16 bytes may be
// loaded or moved from i, from any candidate (which lies before) and from
// anchor (which does not lie behind). Stores without check stay within the 20
// bytes from o that the loop asks dst for, or the 4 that literals leaves.
func (z *lz4Encoder) matches(start, stride int) (anchor, o int) {
	src, dst := z.src, z.dst
	limit := len(src) - lz4Margin
	anchor = start
	i := max(start, 1)
	for {
		cand, diff := 0, uint64(0)
		for step := stride; ; step += lz4Probes {
			x := load64(src, i)
			cand = z.table.swap(x, i)
			if diff = x ^ load64(src, cand); uint32(diff) == 0 {
				break
			}
			cand = z.table.swap(x>>8, i+1)
			if diff = load64(src, cand); uint32(diff) == uint32(x>>8) {
				i++
				diff ^= load64(src, i)
				break
			}
			cand = z.table.swap(x>>16, i+2)
			if diff = load64(src, cand); uint32(diff) == uint32(x>>16) {
				i += 2
				diff ^= load64(src, i)
				break
			}
			if i += step >> lz4StrideBits; i > limit-(lz4Probes-1) {
				return anchor, o
			}
		}
		off, lit := i-cand, i-anchor
		e := i + matchLength(src, i, cand, diff)
		if e >= i+16 {
			e = z.extend(e, off)
		}
		e = min(e, limit+lz4Margin-lz4LastBytes)
		if cand >= 8 {
			k := min(matchBackward(src, i, cand), lit)
			i, lit = i-k, lit-k
		}
		size := e - i - lz4MinMatch
		_ = dst[o+19]
		if lit < lz4Nibble {
			store8(dst, o, byte(lit<<4|min(size, lz4Nibble)))
			copy16(dst, o+1, src, anchor)
			o += 1 + lit
		} else {
			o = z.literals(o, anchor, lit, min(size, lz4Nibble))
		}
		store32(dst, o, uint32(off)|uint32(size-lz4Nibble)<<16)
		if o += 2; size >= lz4Nibble {
			if o++; size >= lz4Nibble+lz4Byte {
				o = lz4Length(dst, o-1, size-lz4Nibble)
			}
		}
		if i, anchor = e, e; i > limit-(lz4Probes-1) {
			return anchor, o
		}
		z.table.swap(load64(src, i-2), i-2)
	}
}

// extend returns where the match of distance off ends that holds up to e.
func (z *lz4Encoder) extend(e, off int) int { return matchExtend(z.src, e, off) }

// literals writes the literals from src[anchor:] with their token.
func (z *lz4Encoder) literals(o, anchor, lit, nibble int) int {
	return lz4Literals(z.dst, o, z.src[anchor:anchor+lit], nibble)
}
