package compress

import (
	"math/bits"
	"reflect"
)

const zstdHashBits = 13

// zstdHeads has the last position of each hash, 0 for none.
type zstdHeads [1 << zstdHashBits]uint16

// zstdChains finds all earlier positions that begin with the same 4 bytes. An
// unused head names position 0, which is thus a candidate that is compared like
// any other and ends every chain.
type zstdChains struct {
	heads  zstdHeads
	chain  []uint16 // by position: the one before with the same hash
	next   int      // the first position that is not in yet
	primed *zstdHeads
}

// reset forgets all but the dictionary, whose end is start, and prepares for
// total bytes. The last 7 positions of a dictionary are keyed by the page, too.
func (z *zstdChains) reset(start, total int) {
	if len(z.chain) < total {
		z.chain = append(make([]uint16, 0, total), z.chain...)[:total]
	}
	z.heads, z.next = zstdHeads{}, max(start-7, 1)
	if z.primed != nil {
		z.heads = *z.primed
	}
}

// fill puts in all positions before i.
func (z *zstdChains) fill(src []byte, i int) {
	for ; z.next < i; z.next++ {
		z.insert(load64(src, z.next), z.next)
	}
}

// insert puts in i, where x is, and returns the last position with the same hash.
func (z *zstdChains) insert(x uint64, i int) int {
	head := &z.heads[uint32(x)*2654435761>>(32-zstdHashBits)]
	last := *head
	z.chain[i] = last
	*head = uint16(i)
	return int(last)
}

// learn puts in the dictionary, to be there for every page.
func (z *zstdChains) learn(p *zstdParse) {
	if z.primed == nil {
		z.primed = new(zstdHeads)
	}
	*z.primed = zstdHeads{}
	z.reset(0, p.end)
	z.fill(p.src, p.start-7)
	*z.primed = z.heads
}

// size is the memory in bytes beyond the struct.
func (z *zstdChains) size() int {
	n := 2 * cap(z.chain)
	if z.primed != nil {
		n += int(reflect.TypeFor[zstdHeads]().Size())
	}
	return n
}

// zstdLazy takes the match that gains most at a position.
type zstdLazy struct {
	zstdChains
	depth  int  // how many candidates are compared
	enough int  // a match of that length is taken without looking further
	wait   bool // for the next position, which may have a better one
}

// zstdPatience is by how much a match at the next position must gain more.
const zstdPatience = 3

// zstdMatch is a match and what it gains, in quarters of a literal.
type zstdMatch struct{ size, off, gain int }

func (z *zstdLazy) find(p *zstdParse) {
	z.reset(p.start, p.end)
	p.lits, p.n = 0, 0
	anchor, limit := p.start, p.end-zstdMargin
	for i := max(anchor, 1); i <= limit; {
		m := z.best(p, i, anchor)
		if m.size == 0 {
			i += 1 + (i-anchor)>>zstdStrideBits
			continue
		}
		for z.wait && m.size < z.enough && i < limit {
			next := z.best(p, i+1, anchor)
			if next.gain <= m.gain+zstdPatience {
				break
			}
			m, i = next, i+1
		}
		for i > anchor && i > m.off && p.src[i-1] == p.src[i-m.off-1] {
			i--
			m.size++
		}
		p.add(anchor, i, m.size, m.off)
		i += m.size
		anchor = i
		z.fill(p.src, min(i, limit))
	}
	p.literal(anchor, p.end)
}

// best returns the match at i that gains most; its size is 0 if there is none.
func (z *zstdLazy) best(p *zstdParse, i, anchor int) (best zstdMatch) {
	src := p.src
	x := load64(src, i)
	for k, off := range p.repeats {
		if off > i || k == 0 && i == anchor {
			continue
		}
		if diff := x ^ load64(src, i-off); uint32(diff) == 0 {
			if n := min(zstdLength(src, i, i-off, diff), p.end-i); 4*n > best.gain {
				best = zstdMatch{n, off, 4 * n}
			}
		}
	}
	if i < z.next {
		return best // seen before: only the repeats are new
	}
	z.fill(src, i)
	z.next = i + 1
	cand := z.insert(x, i)
	for tries := z.depth; tries > 0; tries-- {
		at := best.size
		if diff := x ^ load64(src, cand); uint32(diff) == 0 && src[cand+at] == src[i+at] {
			off := i - cand
			n := min(zstdLength(src, i, cand, diff), p.end-i)
			if gain := 4*n - bits.Len(uint(off)); gain > best.gain {
				if best = (zstdMatch{n, off, gain}); n >= z.enough {
					break
				}
			}
		}
		if cand == 0 {
			break
		}
		cand = int(z.chain[cand])
	}
	return best
}

// zstdLength returns how many bytes at i and cand agree; diff is what the first 8
// differ in.
func zstdLength(src []byte, i, cand int, diff uint64) int {
	n := matchLength(src, i, cand, diff)
	if n >= 16 {
		n = matchExtend(src, i+16, i-cand) - i
	}
	return n
}

func (z *zstdLazy) size() int { return int(reflect.TypeFor[zstdLazy]().Size()) + z.zstdChains.size() }
