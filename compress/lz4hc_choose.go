package compress

// choose goes from the end of the page to its beginning and leaves in found, for
// each position, the match to take there, or none for a literal.
//
// A position costs the bytes of output from there to the end. Costs hardly rise
// from one position to the next, as what a match leaves of itself is a match as
// well: of all lengths that have the same number of length bytes the longest one
// is best. For the same reason costs that are compared differ little, and 16
// bits of them will do.
//
// A match also goes back as far as the bytes before it are equal, which is
// where those come from that begin within another one.
func (z *lz4hcEncoder) choose(start int) {
	const short = lz4MinMatch + lz4Nibble - 1 // the longest without a length byte
	src, n := z.src, len(z.src)-start
	found, costs := z.found[:n], z.costs[:n+1]
	costs[n] = 0
	next, free := uint16(0), lz4Nibble // free: literals until there is another length byte
	size, off := 0, 0
	for k := n - 1; k >= 0; k-- {
		m := found[k]
		if i := start + k; size >= lz4MinMatch && size >= int(m.size) && i >= off && src[i] == src[i-off] {
			size++
		} else {
			size, off = int(m.size), int(m.off)
		}
		cost, pick := next+1, 0
		if free--; free == 0 {
			cost++
			free = lz4Byte
		}
		if size >= lz4MinMatch {
			c := costs[k+size] + 3 + uint16(lz4LengthSize(size-lz4MinMatch))
			if int16(c-cost) < 0 {
				cost, pick = c, size
			}
			if size > short {
				if c = costs[k+short] + 3; int16(c-cost) < 0 {
					cost, pick = c, short
				}
			}
			if pick > 0 {
				free = lz4Nibble
			}
		}
		found[k] = lz4hcMatch{uint16(pick), uint16(off)}
		costs[k] = cost
		next = cost
	}
}
