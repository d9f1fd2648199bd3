package compress

// deflateOptimal finds the sequences that are cheapest by the prices of given
// codes, in bits.
type deflateOptimal struct {
	literal [256]uint16
	match   [deflateMaxMatch + 1]uint16 // by length
	slot    [deflateFixedDistances]uint16
	// For each place of a segment: the price of the cheapest way to it, and the
	// last step of that way, a match or a literal of length 1. On the way back
	// next gets the step that leads on from a place.
	price []uint32
	step  []deflateMatch
	next  []deflateMatch
	found [deflateMaxMatch]deflateMatch
}

// deflateMatch is a match, both in bytes.
type deflateMatch struct{ length, distance uint16 }

// Prices of symbols that do not have a code yet.
const (
	deflateNewLiteral  = 13
	deflateNewLength   = 12
	deflateNewDistance = 10
)

// deflateSegment is how many bytes are weighed at once; no match passes from one
// segment to the next.
const deflateSegment = 4096

// Behind a match of more than deflateCovered bytes a search is less deep, by the
// factor deflateShallow: it is likely that the way does not lead there.
const (
	deflateCovered = 16
	deflateShallow = 4
)

// grow makes room for segments of n bytes.
func (o *deflateOptimal) grow(n int) {
	if len(o.price) <= n {
		o.price, o.step, o.next = make([]uint32, n+1), make([]deflateMatch, n+1), make([]deflateMatch, n+1)
	}
}

// memory is the size in bytes of what grow has made.
func (o *deflateOptimal) memory() int { return 12 * len(o.price) }

// setPrices takes the prices from the code lengths of c.
func (o *deflateOptimal) setPrices(c *deflateCoder) {
	for s := range o.literal {
		o.literal[s] = deflatePrice(c.litlenLengths[s], deflateNewLiteral)
	}
	for l, s := range deflateLengthSymbol {
		o.match[l+deflateMinMatch] = uint16(deflateLengthRange[s].extra) +
			deflatePrice(c.litlenLengths[deflateFirstLen+int(s)], deflateNewLength)
	}
	for s, r := range deflateDistanceRange {
		o.slot[s] = uint16(r.extra) + deflatePrice(c.distanceLengths[s], deflateNewDistance)
	}
}

func deflatePrice(length uint8, none uint16) uint16 {
	if length == 0 {
		return none
	}
	return uint16(length)
}

// parse replaces the sequences of the block from i to end, and returns its new
// end: there may be no room for all of them.
func (o *deflateOptimal) parse(p *deflateParser, i, end int) int {
	p.sequences, p.anchor = p.room, i
	for i < end {
		next := min(i+deflateSegment, end)
		if len(p.sequences)+(next-i)/deflateMinMatch > cap(p.sequences) {
			break
		}
		o.segment(p, i, next)
		i = next
	}
	return i
}

// segment appends the sequences from begin to end.
func (o *deflateOptimal) segment(p *deflateParser, begin, end int) {
	n := end - begin
	o.grow(n)
	price, step := o.price[:n+1], o.step[:n+1]
	for i := range price {
		price[i] = 1 << 31
	}
	price[0] = 0
	page := p.page[begin:end]
	skip := 0 // no search before: a long match covers it
	before := 0
	for i, b := range page {
		if q := price[i] + uint32(o.literal[b]); q < price[i+1] {
			price[i+1], step[i+1] = q, deflateMatch{length: 1}
		}
		if i < skip {
			continue
		}
		depth := p.effort.depth
		if before > deflateCovered {
			depth /= deflateShallow
		}
		l := deflateMinMatch
		for _, m := range o.found[:o.matches(p, begin+i, min(n-i, deflateMaxMatch), depth)] {
			base := price[i] + uint32(o.slot[distanceSlot(int(m.distance))%deflateFixedDistances])
			// Shorter ones have been found nearer.
			for ; l <= int(m.length); l++ {
				if q := base + uint32(o.match[l]); q < price[i+l] {
					price[i+l], step[i+l] = q, deflateMatch{uint16(l), m.distance}
				}
			}
		}
		before = l - 1
		if before >= p.effort.nice {
			skip = i + before
		}
	}
	for i := n; i > 0; {
		s := step[i]
		i -= int(s.length)
		o.next[i] = s
	}
	for i := 0; i < n; {
		s := o.next[i]
		if s.length > 1 {
			p.add(begin+i, int(s.length), int(s.distance))
		}
		i += int(s.length)
	}
}

// matches fills found with the matches at i of at most limit bytes, each longer
// than the one before and none nearer, and returns their number. It searches as
// longest does.
func (o *deflateOptimal) matches(p *deflateParser, i, limit, depth int) (n int) {
	if limit < deflateMinMatch {
		return 0
	}
	if d := p.nearest(i, p.effort.near); d != 0 {
		o.found[0] = deflateMatch{deflateMinMatch, uint16(d)}
		n = 1
	}
	best := deflateMinMatch
	if best == limit {
		return n
	}
	nice := min(p.effort.nice, limit)
	oldest := max(i-p.window, 0)
	page, chain := p.page, p.chain
	cand, k := int(chain[i])-1, 0
	first, last := load64(page, i), uint32(load64(page, i+best-3))
	for ; cand >= oldest && depth > 0; depth-- {
		if uint32(load64(page, cand+best-3)) == last {
			if m := p.common(i, cand, first, limit); m > best {
				best = m
				o.found[n] = deflateMatch{uint16(m), uint16(i - cand)}
				n++
				if m >= nice {
					break
				}
				last = uint32(load64(page, i+best-3))
				k = p.rarest(cand, best-4, k)
			}
		}
		cand = int(chain[cand+k]) - 1 - k
	}
	return n
}
