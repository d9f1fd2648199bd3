package compress

import (
	"math"
	"reflect"
)

const (
	// zstdSegment is how many bytes of a page are laid out at once.
	zstdSegment = 8 << 10
	// zstdThreeBits is log2 of a table of positions by 3 bytes.
	zstdThreeBits = 11
	// zstdPriceBase is where prices begin: a literal that ends a row of none, if
	// rows of none are dear, has a negative one.
	zstdPriceBase = 1 << 20
)

// zstdStep is what is known of one position: first the cheapest way to get
// there, later the way onwards from there. It is a match, or one literal if size
// is 0.
type zstdStep struct {
	price   uint32 // of all until here, and zstdPriceBase
	size    uint16
	off     uint16
	lit     uint16    // literals since the last match
	repeats [3]uint16 // once the position is reached
}

// zstdOptimal finds of all ways through a page the cheapest, by prices that the
// pass before teaches, the first of all a faster search. That one leaves literals
// which few matches would have spared: as long as they were cheap, they would
// stay. So for the first pass each costs a byte.
type zstdOptimal struct {
	zstdLazy
	three  [1 << zstdThreeBits]uint16 // the last position of 3 bytes, 0 for none
	prices zstdPrices
	steps  []zstdStep // by position in the segment, and one for its end
	passes int        // how often prices are learnt
	tries  int        // how many candidates are compared
	plenty int        // a match of that length is taken without looking further
}

func (z *zstdOptimal) find(p *zstdParse) {
	repeats := p.repeats
	z.zstdLazy.find(p)
	if n := min(p.end-p.start, zstdSegment) + 1; len(z.steps) < n {
		z.steps = make([]zstdStep, n)
	}
	for pass := range z.passes {
		z.prices.learn(p)
		if pass == 0 {
			z.prices.level()
		}
		p.repeats = repeats
		z.layOut(p)
	}
}

// layOut takes the page apart along the cheapest way.
func (z *zstdOptimal) layOut(p *zstdParse) {
	z.reset(p.start, p.end)
	clear(z.three[:])
	p.lits, p.n = 0, 0
	anchor := p.start
	for from := p.start; from < p.end; from += zstdSegment {
		to := min(from+zstdSegment, p.end)
		z.search(p, from, to, anchor)
		z.turn(to - from)
		for i := from; i < to; {
			s := &z.steps[i-from]
			if s.size == 0 {
				i++
				continue
			}
			p.add(anchor, i, int(s.size), int(s.off))
			i += int(s.size)
			anchor = i
		}
	}
	p.literal(anchor, p.end)
}

// search fills steps with the cheapest way to every position of src[from:to].
// The literals since anchor have not been written.
func (z *zstdOptimal) search(p *zstdParse, from, to, anchor int) {
	steps := z.steps[:to-from+1]
	for k := range steps {
		steps[k].price = math.MaxUint32
	}
	steps[0] = zstdStep{price: zstdPriceBase, lit: uint16(from - anchor)}
	for k, off := range p.repeats {
		steps[0].repeats[k] = uint16(off)
	}
	limit := min(to-zstdMinMatch, p.end-zstdMargin)
	for i := from; i < to; i++ {
		k := i - from
		if k > 0 {
			zstdArrive(steps, k)
		}
		lit := int(steps[k].lit)
		price := steps[k].price + z.prices.literal[p.src[i]] + z.prices.lits(lit+1) - z.prices.lits(lit)
		if next := &steps[k+1]; price < next.price {
			next.price, next.size, next.lit = price, 0, uint16(lit+1)
		}
		if i > limit || i == 0 {
			continue
		}
		if n := z.offers(p.src, i, k, to); n >= z.plenty {
			z.fill(p.src, min(i+n, limit))
			i += n - 1
		}
	}
}

// zstdArrive gives step k the repeat offsets, from the step before.
func zstdArrive(steps []zstdStep, k int) {
	s := &steps[k]
	if s.size == 0 {
		s.repeats = steps[k-1].repeats
		return
	}
	last := &steps[k-int(s.size)]
	r := zstdRepeats{int(last.repeats[0]), int(last.repeats[1]), int(last.repeats[2])}
	r.value(int(s.off), int(last.lit))
	s.repeats = [3]uint16{uint16(r[0]), uint16(r[1]), uint16(r[2])}
}

// offers says which matches lead on from i, which is step k, and returns the
// length of the longest. None goes beyond to.
//
// In range: i+zstdMargin <= len(src)-zstdSlack, and candidates lie before i.
func (z *zstdOptimal) offers(src []byte, i, k, to int) (best int) {
	here := &z.steps[k]
	price := here.price + z.prices.lits(0)
	x := load64(src, i)
	known := [3]int{int(here.repeats[0]), int(here.repeats[1]), int(here.repeats[2])}
	if here.lit == 0 {
		known = [3]int{known[1], known[2], known[0] - 1}
	}
	best = zstdMinMatch - 1
	for v, off := range known {
		if uint(off-1) >= uint(i) {
			continue // nothing is there
		}
		if diff := x ^ load64(src, i-off); diff<<40 == 0 {
			n := min(zstdLength(src, i, i-off, diff), to-i)
			z.offer(k, zstdMinMatch, n, off, price+z.prices.off(v+1))
			best = max(best, n)
		}
	}
	if i < z.next {
		return best
	}
	z.fill(src, i)
	z.next = i + 1
	cand := z.insert(x, i)
	three := &z.three[uint32(x<<8)*506832829>>(32-zstdThreeBits)]
	if near := int(*three); near > 0 && best < zstdMinMatch {
		if diff := x ^ load64(src, near); diff<<40 == 0 {
			n := min(zstdLength(src, i, near, diff), to-i)
			z.offer(k, zstdMinMatch, n, i-near, price+z.prices.off(i-near+zstdMinMatch))
			best = n
		}
	}
	*three = uint16(i)
	for tries := z.tries; tries > 0 && best < z.plenty && i+best < to; tries-- {
		if diff := x ^ load64(src, cand); uint32(diff) == 0 && src[cand+best] == src[i+best] {
			if n := min(zstdLength(src, i, cand, diff), to-i); n > best {
				z.offer(k, best+1, n, i-cand, price+z.prices.off(i-cand+3))
				best = n
			}
		}
		if cand == 0 {
			break
		}
		cand = int(z.chain[cand])
	}
	return best
}

// offer says that matches of some lengths lead on from k; price is without that
// of the length.
func (z *zstdOptimal) offer(k, least, most, off int, price uint32) {
	steps := z.steps[k+least : k+most+1]
	for j := range steps {
		cost := price + z.prices.size(least+j)
		if s := &steps[j]; cost < s.price {
			s.price, s.size, s.off, s.lit = cost, uint16(least+j), uint16(off), 0
		}
	}
}

// turn makes each step of the way to n say how it goes on instead of how it was
// reached.
func (z *zstdOptimal) turn(n int) {
	for here := z.steps[n]; n > 0; {
		n -= max(int(here.size), 1)
		here, z.steps[n] = z.steps[n], here
	}
}

func (z *zstdOptimal) size() int {
	n := int(reflect.TypeFor[zstdOptimal]().Size()) + z.zstdChains.size()
	return n + len(z.steps)*int(reflect.TypeFor[zstdStep]().Size())
}
