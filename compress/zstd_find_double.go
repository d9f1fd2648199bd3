package compress

import "reflect"

// zstdStrideBits: so many steps without a match (as a power of two) widen the
// stride by one.
const zstdStrideBits = 6

// zstdDouble looks at each position for the last one with the same 8 bytes, and
// the last one with the same few; and at the next for the repeat offsets.
type zstdDouble struct {
	long, short pageTable
	shift       uint64 // leaves of 8 bytes those that short goes by
	primed      *[2]pageTable
}

func (z *zstdDouble) longHash(x uint64) uint64 { return x * 0x9e3779b97f4a7c15 >> (64 - pageHashBits) }

func (z *zstdDouble) shortHash(x uint64) uint64 {
	return x << (z.shift & 63) * 889523592379 >> (64 - pageHashBits)
}

// find is as fast as it is because what it looks for needs no check: an entry of
// a table, and a repeat offset, names a position before the current one.
//
// In range: i <= limit holds at the loads. They reach 25 bytes from there, which
// is inside of the slack behind the page.
func (z *zstdDouble) find(p *zstdParse) {
	if z.primed != nil {
		z.long, z.short = z.primed[0], z.primed[1]
	} else {
		z.long, z.short = pageTable{}, pageTable{}
	}
	src, literals, seqs := p.src, p.literals, p.seqs
	r1, r2, r3 := p.repeats[0], p.repeats[1], p.repeats[2]
	limit, end := p.end-zstdMargin, p.end
	anchor, o, n := p.start, 0, 0
	i := max(anchor, 1, r1-1, r2-1, r3-1)
	for i <= limit {
		var at, off int
		var diff uint64
		for step := 1 << zstdStrideBits; ; step++ {
			x, y := load64(src, i), load64(src, i+1)
			diff = y ^ load64(src, i+1-r1)
			short := &z.short[z.shortHash(x)]
			near := int(*short)
			*short = uint16(i)
			long := &z.long[z.longHash(x)]
			far := int(*long)
			*long = uint16(i)
			if at, off = i+1, r1; uint32(diff) == 0 {
				break
			}
			if diff, off = y^load64(src, i+1-r2), r2; uint32(diff) == 0 {
				break
			}
			if diff, off = y^load64(src, i+1-r3), r3; uint32(diff) == 0 {
				break
			}
			if diff, at = x^load64(src, far), i; diff == 0 {
				off = i - far
				break
			}
			if diff = x ^ load64(src, near); uint32(diff) == 0 {
				off = i - near
				next := &z.long[z.longHash(y)]
				far = int(*next)
				*next = uint16(i + 1)
				if y == load64(src, far) {
					at, off, diff = i+1, i+1-far, 0
				}
				break
			}
			if i += step >> zstdStrideBits; i > limit {
				goto done
			}
		}
		e := min(at+zstdLength(src, at, at-off, diff), end)
		lit := at - anchor
		if at-off >= 8 {
			k := min(matchBackward(src, at, at-off), lit)
			at, lit = at-k, lit-k
		}
		zstdLiteralMove(literals, o, src, anchor, lit)
		o += lit
		v, second, third := zstdOffset(off, lit, r1, r2, r3)
		r1, r2, r3 = off, second, third
		seqs[n] = zstdSequence{uint16(lit), uint16(e - at - zstdMinMatch), v}
		n++
		anchor = e
		if e > limit {
			break
		}
		z.insert(load64(src, i+2), i+2)
		i = e
		x := load64(src, i-2)
		z.long[z.longHash(x)] = uint16(i - 2)
		z.short[z.shortHash(x>>8)] = uint16(i - 1)
		for i <= limit {
			x := load64(src, i)
			diff := x ^ load64(src, i-r2)
			if uint32(diff) != 0 {
				break
			}
			z.insert(x, i)
			e := min(i+zstdLength(src, i, i-r2, diff), end)
			seqs[n] = zstdSequence{0, uint16(e - i - zstdMinMatch), 1}
			n++
			r1, r2 = r2, r1
			i, anchor = e, e
		}
	}
done:
	p.lits, p.n = o, n
	p.literal(anchor, end)
}

func (z *zstdDouble) insert(x uint64, i int) {
	z.long[z.longHash(x)] = uint16(i)
	z.short[z.shortHash(x)] = uint16(i)
}

func (z *zstdDouble) learn(p *zstdParse) {
	z.long, z.short = pageTable{}, pageTable{}
	for i := 1; i+8 <= p.start; i++ {
		z.insert(load64(p.src, i), i)
	}
	if z.primed == nil {
		z.primed = new([2]pageTable)
	}
	*z.primed = [2]pageTable{z.long, z.short}
}

func (z *zstdDouble) size() int {
	n := int(reflect.TypeFor[zstdDouble]().Size())
	if z.primed != nil {
		n += int(reflect.TypeFor[[2]pageTable]().Size())
	}
	return n
}
