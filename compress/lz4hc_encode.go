package compress

import (
	"math"
	"reflect"
)

const lz4hcHashBits = 13

// lz4hcHeads has the last position of each hash, 0 for none.
type lz4hcHeads [1 << lz4hcHashBits]uint16

// lz4hcStep is what is known of one position of the page: first the cheapest way
// to get there, later the way onwards from there. It is a match, or a run of
// literals if size is 0.
type lz4hcStep struct {
	cost uint32 // bytes of output so far
	lit  uint32
	size uint16
	off  uint16
}

// lz4hcEncoder finds the longest match at every position through chains of
// positions with equal hashes, and of all ways through the page the one with
// the shortest output. All distances cost the same in LZ4, so that for each
// length the longest match is as good as any.
//
// An unused head names position 0, which is thus a candidate that is compared
// like any other and ends every chain.
type lz4hcEncoder struct {
	heads  lz4hcHeads
	primed *lz4hcHeads // heads after the dictionary; nil for none
	chain  []uint16    // by position: the one before with the same hash
	steps  []lz4hcStep // by position in the page, and one for its end
	depth  int         // how many candidates are compared
	enough int         // a match of that length is taken without looking further
}

// setLevel sets how hard to search, 1 to 16: level 9 looks at 64 candidates and
// has enough of a match of 64 bytes.
func (z *lz4hcEncoder) setLevel(level int) {
	z.depth = 4 << (level / 2)
	z.enough = 16 << (level / 4)
}

// grow prepares for n bytes of page at the end of total bytes.
func (z *lz4hcEncoder) grow(total, n int) {
	if len(z.chain) < total {
		z.chain = append(make([]uint16, 0, total), z.chain...)[:total]
	}
	if len(z.steps) < n+1 {
		z.steps = make([]lz4hcStep, n+1)
	}
}

// learn remembers the positions of a dictionary.
func (z *lz4hcEncoder) learn(dict []byte) {
	z.heads = lz4hcHeads{}
	for i := 1; i+8 <= len(dict); i++ {
		z.insert(i, uint32(load64(dict, i)))
	}
	z.primed = new(lz4hcHeads)
	*z.primed = z.heads
}

// insert puts i at the head of the chain of key and returns the head before.
func (z *lz4hcEncoder) insert(i int, key uint32) int {
	head := &z.heads[key*2654435761>>(32-lz4hcHashBits)]
	last := *head
	z.chain[i] = last
	*head = uint16(i)
	return int(last)
}

// encode compresses src[start:] into dst and returns the length. src[:start] is
// what learn was given last. len(src) is at most maxPage, len(dst) at least
// DstSize(len(src)-start), and grow was called for both.
func (z *lz4hcEncoder) encode(dst, src []byte, start int) int {
	if z.primed != nil {
		z.heads = *z.primed
	} else {
		z.heads = lz4hcHeads{}
	}
	z.search(src, start)
	z.turn(len(src) - start)
	return z.write(dst, src[start:])
}

// search fills steps with the cheapest way to every position.
func (z *lz4hcEncoder) search(src []byte, start int) {
	steps := z.steps[:len(src)-start+1]
	for k := range steps {
		steps[k].cost = math.MaxUint32
	}
	steps[0] = lz4hcStep{}
	lastMatch, end := len(src)-lz4LastMatch, len(src)-lz4LastBytes
	size, off := 0, 0 // the match found last
	for i := start; i < len(src); i++ {
		k := i - start
		here := steps[k]
		lit := here.lit + 1
		cost := here.cost + 1 + uint32(lz4LengthSize(int(lit))-lz4LengthSize(int(lit-1)))
		if cost < steps[k+1].cost {
			steps[k+1] = lz4hcStep{cost: cost, lit: lit}
		}
		if i > lastMatch || i == 0 {
			continue
		}
		size, off = z.longest(src, i, end, size-1, off)
		if size >= z.enough {
			z.offer(k, size, off)
			for last := min(i+size-1, lastMatch); i < last; {
				i++
				z.insert(i, uint32(load64(src, i)))
			}
			i, size = start+k+size-1, 0
			continue
		}
		for n := lz4MinMatch; n <= size; n++ {
			z.offer(k, n, off)
		}
	}
}

// offer says that a match of that size leads on from k.
func (z *lz4hcEncoder) offer(k, size, off int) {
	cost := z.steps[k].cost + 3 + uint32(lz4LengthSize(size-lz4MinMatch))
	if to := &z.steps[k+size]; cost < to.cost {
		*to = lz4hcStep{cost: cost, size: uint16(size), off: uint16(off)}
	}
}

// longest inserts i and returns the longest match there that ends by end, or one
// that is long enough; its size is below lz4MinMatch if there is none. best and
// off are a match that is known: what the one a position before leaves here.
//
// In range: i+lz4LastMatch <= len(src), and a match that reaches end is not
// compared with others.
func (z *lz4hcEncoder) longest(src []byte, i, end, best, off int) (int, int) {
	key := uint32(load64(src, i))
	cand := z.insert(i, key)
	best = max(best, lz4MinMatch-1)
	for tries := z.depth; tries > 0 && best < z.enough && i+best < end; tries-- {
		at := best - lz4MinMatch + 1 // a longer match agrees in the 4 bytes from here
		if uint32(load64(src, cand+at)) == uint32(load64(src, i+at)) && uint32(load64(src, cand)) == key {
			if n := min(matchExtend(src, i+lz4MinMatch, i-cand), end) - i; n > best {
				best, off = n, i-cand
			}
		}
		if cand == 0 {
			break
		}
		cand = int(z.chain[cand])
	}
	return best, off
}

// turn makes each step of the way to n say how it goes on instead of how it was
// reached.
func (z *lz4hcEncoder) turn(n int) {
	for here := z.steps[n]; n > 0; {
		n -= int(here.size)
		if here.size == 0 {
			n -= int(here.lit)
		}
		here, z.steps[n] = z.steps[n], here
	}
}

// write follows the steps through page and returns the length of the output.
func (z *lz4hcEncoder) write(dst, page []byte) int {
	o, anchor := 0, 0
	for k := 0; k < len(page); {
		s := &z.steps[k]
		if s.size == 0 {
			k += int(s.lit)
			continue
		}
		size := int(s.size) - lz4MinMatch
		o = lz4Literals(dst, o, page[anchor:k], min(size, lz4Nibble))
		dst[o], dst[o+1] = byte(s.off), byte(s.off>>8)
		o += 2
		if size >= lz4Nibble {
			o = lz4Length(dst, o, size-lz4Nibble)
		}
		k += int(s.size)
		anchor = k
	}
	return lz4Literals(dst, o, page[anchor:], 0)
}

// size is the memory in bytes beyond the struct.
func (z *lz4hcEncoder) size() int {
	n := 2*cap(z.chain) + len(z.steps)*int(reflect.TypeFor[lz4hcStep]().Size())
	if z.primed != nil {
		n += int(reflect.TypeFor[lz4hcHeads]().Size())
	}
	return n
}
