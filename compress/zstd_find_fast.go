package compress

import "reflect"

// zstdFast looks at each position for the last one with the same few bytes, and
// at the next for the repeat offsets.
type zstdFast struct {
	table  pageTable
	shift  uint64 // leaves of 8 bytes those that the table goes by
	stride int    // with which a search begins
	primed *pageTable
}

func (z *zstdFast) hash(x uint64) uint64 {
	return x << (z.shift & 63) * 889523592379 >> (64 - pageHashBits)
}

// find is zstdDouble's with one table.
func (z *zstdFast) find(p *zstdParse) {
	if z.primed != nil {
		z.table = *z.primed
	} else {
		z.table = pageTable{}
	}
	src, literals, seqs := p.src, p.literals, p.seqs
	r1, r2, r3 := p.repeats[0], p.repeats[1], p.repeats[2]
	limit, end := p.end-zstdMargin, p.end
	anchor, o, n := p.start, 0, 0
	stride := z.stride << zstdStrideBits
	i := max(anchor, 1, r1-1, r2-1, r3-1)
	for i <= limit {
		var at, off int
		var diff uint64
		for step := stride; ; step++ {
			x, y := load64(src, i), load64(src, i+1)
			diff = y ^ load64(src, i+1-r1)
			entry := &z.table[z.hash(x)]
			last := int(*entry)
			*entry = uint16(i)
			if at, off = i+1, r1; uint32(diff) == 0 {
				break
			}
			if diff, off = y^load64(src, i+1-r2), r2; uint32(diff) == 0 {
				break
			}
			if diff, at, off = x^load64(src, last), i, i-last; uint32(diff) == 0 {
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
		z.table[z.hash(load64(src, i+2))] = uint16(i + 2)
		i = e
		z.table[z.hash(load64(src, i-2))] = uint16(i - 2)
		for i <= limit {
			x := load64(src, i)
			diff := x ^ load64(src, i-r2)
			if uint32(diff) != 0 {
				break
			}
			z.table[z.hash(x)] = uint16(i)
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

func (z *zstdFast) learn(p *zstdParse) {
	z.table = pageTable{}
	for i := 1; i+8 <= p.start; i++ {
		z.table[z.hash(load64(p.src, i))] = uint16(i)
	}
	if z.primed == nil {
		z.primed = new(pageTable)
	}
	*z.primed = z.table
}

func (z *zstdFast) size() int {
	n := int(reflect.TypeFor[zstdFast]().Size())
	if z.primed != nil {
		n += int(reflect.TypeFor[pageTable]().Size())
	}
	return n
}
