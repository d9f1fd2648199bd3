package compress

import "math/bits"

// lz4hcSearch fills found with the longest match it finds at each position.
//
// Matches of at least 8 bytes are found along the chain of positions with the
// same 8 bytes, from the last one with the same 16 bytes if there is one. For
// those of 4 to 7 bytes the last position with as many equal bytes will do, as
// no other can be better but for having more.
//
// A position keeps what the match of the one before leaves it. The keys that lie
// within such a rest were seen before, and a longer match that begins there
// shows itself where the rest runs out, from where choose follows it back: so
// they are put into tables only if the search is to be thorough.
//
// In range: i+lz4LastMatch <= len(src) and 16 <= len(src) allow to load 8 bytes
// from i and from min(i+8, tail), and from any candidate, which lies before i;
// in a walk, i+best < end allows to load the 8 bytes that end behind it, and
// best is at least 7.
func lz4hcSearch[T lz4hcTable](z *lz4hcEncoder, t *lz4hcTables[T], start int) {
	src, chain, found := z.src, z.chain[:len(z.src)], z.found[:len(z.src)-start]
	lastMatch, end, tail := len(src)-lz4LastMatch, len(src)-lz4LastBytes, len(src)-8
	depth, left := z.depth, z.steps*len(found)
	size, off := 0, 0
	i := start
	if i == 0 {
		found[0] = lz4hcMatch{}
		i = 1
	}
	for i <= lastMatch {
		x := load64(src, i)
		far := lz4hcSwap(&t.sixteen, lz4hcKey16(x, load64(src, min(i+8, tail))), i)
		best, cand, tries := size, 0, depth
		if size >= 8 && !z.thorough {
			cand = int(*lz4hcPlace(&t.eight, lz4hcKey8(x)))
		} else {
			cand = lz4hcSwap(&t.eight, lz4hcKey8(x), i)
		}
		chain[i] = uint16(cand)
		if load64(src, far) == x {
			cand = far
		}
		if size >= 8 {
			goto walk
		}
		{
			c4, c5, c6, c7 := lz4hcSwap(&t.four, lz4hcKey4(x), i), 0, 0, 0
			if z.keys > 1 {
				c6 = lz4hcSwap(&t.six, lz4hcKey6(x), i)
			}
			if z.keys > 2 {
				c5 = lz4hcSwap(&t.five, lz4hcKey5(x), i)
				c7 = lz4hcSwap(&t.seven, lz4hcKey7(x), i)
			}
			for ; tries > 1 && cand != 0 && load64(src, cand) != x; tries-- {
				cand = int(chain[cand]) // another 8 bytes with the same hash
			}
			if load64(src, cand) == x {
				best = 7
				goto walk
			}
			m := lz4hcEqual(src, c4, x)
			if z.keys > 1 {
				m = max(m, lz4hcEqual(src, c6, x))
			}
			if z.keys > 2 {
				m = max(m, max(lz4hcEqual(src, c5, x), lz4hcEqual(src, c7, x)))
			}
			if n := min(m>>16, end-i); n > size {
				size, off = n, i-m&0xffff
			}
			goto done
		}
	walk:
		for i+best < end {
			if load64(src, cand+best-7) == load64(src, i+best-7) {
				if n := min(matchExtend(src, i, i-cand), end) - i; n > best {
					best, size, off = n, n, i-cand
					if n >= z.enough {
						break
					}
				}
			}
			if tries--; tries <= 0 || cand == 0 {
				break
			}
			cand = int(chain[cand])
		}
	done:
		if left -= depth - tries; left < 0 {
			depth = 1
		}
		if size < lz4MinMatch {
			size = 0
		}
		found[i-start] = lz4hcMatch{uint16(size), uint16(off)}
		i++
		for size--; size >= z.enough && i <= lastMatch; size-- {
			found[i-start] = lz4hcMatch{uint16(size), uint16(off)}
			i++
		}
		size = max(size, 0)
	}
	clear(found[i-start:])
	z.walked = z.steps*len(found) - left
}

// lz4hcEqual returns how many of the 8 bytes at cand agree with x, times 1<<16,
// plus cand.
func lz4hcEqual(src []byte, cand int, x uint64) int {
	return bits.TrailingZeros64(load64(src, cand)^x)>>3<<16 | cand
}
