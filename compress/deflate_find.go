package compress

import "math/bits"

const (
	deflateHashBits = 12 // of 4 bytes
	deflateNearBits = 11 // of 3 bytes
	// deflateSlack is how far behind the page a search may load: it compares
	// whole words from places before its end.
	deflateSlack = 8
	// deflateRarer is how many places inside a match are asked for the rarest
	// of their chains.
	deflateRarer = 16
)

// deflateFinder finds matches in a page. The places whose first bytes hash alike
// are chained from the last to the first, for the whole page at once: a search
// needs no table and may begin anywhere.
type deflateFinder struct {
	head     [1 << deflateHashBits]uint16
	nearHead [1 << deflateNearBits]uint16
	// chain and near have, for each position, 1 plus the last one before it of
	// which 4 bytes, or 3, have the same hash; 0 for none.
	chain, near []uint16
	page        []byte // a copy of the page, zeros behind it
	size        int    // bytes of the page
	window      int    // the greatest distance in bytes
}

// grow makes room for a page of n bytes.
func (f *deflateFinder) grow(n int) {
	if len(f.page) < n+deflateSlack {
		f.page = make([]byte, n+deflateSlack)
		f.chain, f.near = make([]uint16, n), make([]uint16, n)
	}
}

// memory is the size in bytes of what grow has made.
func (f *deflateFinder) memory() int { return len(f.page) + 2*len(f.chain) + 2*len(f.near) }

// load takes a page over and chains its positions; near is for those who ask for
// matches of 3 bytes.
func (f *deflateFinder) load(page []byte, near bool) {
	f.size = len(page)
	f.grow(f.size)
	copy(f.page, page)
	clear(f.page[f.size : f.size+deflateSlack])
	f.head = [1 << deflateHashBits]uint16{}
	if near {
		f.chainBoth()
	} else {
		f.chainFours()
	}
}

const deflateHashFactor = 0x9e3779b1

// In range for both: 8 bytes from each place of the page on are in its copy.

func (f *deflateFinder) chainFours() {
	page, chain := f.page, f.chain[:f.size]
	for i := range chain {
		h := uint32(load64(page, i)) * deflateHashFactor >> (32 - deflateHashBits)
		chain[i] = f.head[h]
		f.head[h] = uint16(i + 1)
	}
}

func (f *deflateFinder) chainBoth() {
	f.nearHead = [1 << deflateNearBits]uint16{}
	page, chain := f.page, f.chain[:f.size]
	near := f.near[:len(chain)]
	for i := range chain {
		x := uint32(load64(page, i))
		h := x * deflateHashFactor >> (32 - deflateHashBits)
		g := x << 8 * deflateHashFactor >> (32 - deflateNearBits)
		last, lastNear := f.head[h], f.nearHead[g]
		f.head[h], f.nearHead[g] = uint16(i+1), uint16(i+1)
		chain[i], near[i] = last, lastNear
	}
}

// nearest returns the distance of the last match of 3 bytes at i, where the page
// has so many, if it is at most reach; else 0.
func (f *deflateFinder) nearest(i, reach int) int {
	cand := int(f.near[i]) - 1
	// In range: both are places of the page.
	if cand < max(i-reach, 0) || (load64(f.page, cand)^load64(f.page, i))<<40 != 0 {
		return 0
	}
	return i - cand
}

// longest returns length and distance of the longest match at i of at most limit
// bytes that is longer than best, at least 3, or best and 0. It tries depth
// candidates and is content with nice bytes.
//
// A match longer than best has the bytes at i+k in it, for any k up to best-3. So
// the candidates may be taken from the chain of any such place, and the one is
// followed that goes back furthest with its next step.
//
// In range: i+best and all candidates are places of the page.
func (f *deflateFinder) longest(i, best, limit, depth, nice int) (length, distance int) {
	if best >= limit {
		return best, 0
	}
	nice = min(nice, limit)
	oldest := max(i-f.window, 0)
	page, chain := f.page, f.chain
	cand, k := int(chain[i])-1, 0
	for j := 1; j <= min(best-3, deflateRarer); j++ {
		if c := int(chain[i+j]) - 1 - j; c < cand {
			cand, k = c, j
		}
	}
	first, last := load64(page, i), uint32(load64(page, i+best-3))
	for ; cand >= oldest && depth > 0; depth-- {
		if uint32(load64(page, cand+best-3)) == last {
			if n := f.common(i, cand, first, limit); n > best {
				best, distance = n, i-cand
				if n >= nice {
					break
				}
				last = uint32(load64(page, i+best-3))
				k = f.rarest(cand, best-4, k)
			}
		}
		cand = int(chain[cand+k]) - 1 - k
	}
	return best, distance
}

// rarest returns for which k, of those up to most and now, the chain of i+k goes
// back furthest.
func (f *deflateFinder) rarest(i, most, now int) int {
	next, k := int(f.chain[i+now])-now, now
	for j, c := range f.chain[i : i+min(most, deflateRarer)+1] {
		if int(c)-j < next {
			next, k = int(c)-j, j
		}
	}
	return k
}

// common returns how many bytes at i, the first of which are given, and at cand
// agree, at most limit.
func (f *deflateFinder) common(i, cand int, first uint64, limit int) int {
	diff := load64(f.page, cand) ^ first
	n := 0
	for diff == 0 {
		if n += 8; n >= limit {
			return limit
		}
		// In range: i+n is a place of the page.
		diff = load64(f.page, i+n) ^ load64(f.page, cand+n)
	}
	return min(n+bits.TrailingZeros64(diff)>>3, limit)
}
