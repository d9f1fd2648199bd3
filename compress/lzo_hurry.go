package compress

// What hurry may load from the beginning of an instruction on, and what it may
// write to the page for one: 32 bytes of literals, and the steps of a short match.
const (
	lzoSrcSlack  = 1 + 32
	lzoPageSlack = 48
)

// hurry does instructions in wide steps while both ends are far, and leaves to
// step what is rare, long or wrong.
func (d *lzoDecoder) hurry() {
	page, src := d.page, d.src
	i, o, state := d.i, d.o, d.state
	srcLast, pageLast := len(src)-lzoSrcSlack, len(page)-lzoPageSlack
loop:
	for i <= srcLast && o <= pageLast {
		x := int(uint32(load64(src, i)))
		switch t := x & 0xff; {
		case t >= lzoNear:
			size, off := t>>5+1, x>>8&0xff<<3+t>>2&7+1
			if off > o {
				break loop
			}
			v := load64(page, o-off)
			if off < 8 {
				v = lzoPattern(v, off)
			}
			store64(page, o, v)
			i, o, state = i+2, o+size, t&3
		case t >= lzoMid:
			size, low, n := lzoMidFields(x)
			off := low>>2 + 1
			if off > o || o+size > pageLast+lzoMidMost {
				break loop
			}
			lzoCopy(page, o, off, size)
			i, o, state = i+n, o+size, low&3
		case t == 0 || t >= lzoFar || state != 0:
			break loop
		default:
			copy16(page, o, src, i+1)
			copy16(page, o+16, src, i+17)
			state = t + lzoLitState
			i, o = i+1+state, o+state
			continue
		}
		store32(page, o, uint32(load64(src, i)))
		i, o = i+state, o+state
	}
	d.i, d.o, d.state = i, o, state
}

// lzoMidFields takes a mid match apart, whose first 4 bytes are x: how long it
// is, the bits of its distance and literals, and how many bytes it has. A length
// of more than one byte is given as more than any page has.
func lzoMidFields(x int) (size, low, n int) {
	if x&31 != 0 {
		return x&31 + 2, x >> 8 & 0xffff, 3
	}
	if x&0xff00 == 0 {
		return maxPage + 1, 0, 0
	}
	return x>>8&0xff + lzoMidMost, x >> 16 & 0xffff, 4
}

// lzoPattern returns 8 bytes that repeat the first off of v, off below 8.
func lzoPattern(v uint64, off int) uint64 {
	n := uint(off) * 8
	v &= 1<<n - 1
	v |= v << n
	v |= v << (2 * n)
	return v | v<<(4*n)
}

// lzoPhase is how far a store of 8 bytes that repeat so many may go on for the
// next one to fit.
var lzoPhase = [8]uint8{1: 8, 2: 8, 3: 6, 4: 8, 5: 5, 6: 6, 7: 7}

// lzoCopy copies size bytes from off bytes back, and up to 15 more.
func lzoCopy(page []byte, o, off, size int) {
	end := o + size
	switch {
	case off >= 16:
		for ; o < end; o += 16 {
			copy16(page, o, page, o-off)
		}
	case off >= 8:
		for ; o < end; o += 8 {
			store64(page, o, load64(page, o-off))
		}
	default:
		v, step := lzoPattern(load64(page, o-off), off), int(lzoPhase[off])
		for ; o < end; o += step {
			store64(page, o, v)
		}
	}
}
