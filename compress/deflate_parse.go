package compress

import "math/bits"

// deflateSequence is a run of literals and the match behind it.
type deflateSequence struct {
	literals uint16
	length   uint16 // of the match, less deflateMinMatch
	distance uint16 // less 1
	slot     uint16 // symbol of the distance
}

// deflateBlockSequences is how many sequences a block has at most.
const deflateBlockSequences = 4096

// deflateParser cuts a page into sequences, a block at a time.
type deflateParser struct {
	deflateFinder
	effort    deflateEffort
	sequences []deflateSequence // of the block, in room
	room      []deflateSequence
	anchor    int // where the literals behind the last sequence begin
}

// begin makes room for the sequences of a block of a page of n bytes.
func (p *deflateParser) begin(page []byte) {
	if n := min(len(page)/deflateMinMatch, deflateBlockSequences); cap(p.room) < n {
		p.room = make([]deflateSequence, 0, n)
	}
	p.load(page, p.effort.near > 0)
}

// memory is the size in bytes of what begin has made.
func (p *deflateParser) memory() int { return p.deflateFinder.memory() + 8*cap(p.room) }

// add appends the match at i.
func (p *deflateParser) add(i, length, distance int) {
	p.sequences = append(p.sequences, deflateSequence{
		uint16(i - p.anchor), uint16(length - deflateMinMatch), uint16(distance - 1), uint16(distanceSlot(distance)),
	})
	p.anchor = i + length
}

// parse takes the longest match at each place, or the literal there if the place
// behind has a better one, and returns where the block ends that begins at i: with
// the page, or where there is no room for more sequences.
func (p *deflateParser) parse(i int) int {
	e := &p.effort
	p.sequences, p.anchor = p.room, i
	for i+deflateMinMatch <= p.size {
		length, distance := p.longest(i, deflateMinMatch, min(p.size-i, deflateMaxMatch), e.depth, e.nice)
		if distance == 0 {
			if distance = p.nearest(i, e.near); distance == 0 {
				i++
				continue
			}
		}
		if e.ahead > 0 {
			for length < e.nice {
				n, d := p.longest(i+1, max(length-1, deflateMinMatch), min(p.size-i-1, deflateMaxMatch), e.ahead, e.nice)
				if d == 0 || !isBetter(n-length, d, distance) {
					break
				}
				i, length, distance = i+1, n, d
			}
		}
		p.add(i, length, distance)
		if i = p.anchor; len(p.sequences) == cap(p.sequences) {
			return i
		}
	}
	return p.size
}

// isBetter says whether a match is worth a literal: gain is how many bytes it is
// longer than the one it replaces, distance and before are theirs. A byte more
// is worth four bits of distance.
func isBetter(gain, distance, before int) bool {
	return 4*gain+bits.Len16(uint16(before-1))-bits.Len16(uint16(distance-1)) > 1
}
