package compress

import (
	"bytes"
	"strings"
)

// streamBits spells a deflate stream. Bits go into bytes from the lowest on.
type streamBits struct{ bits []byte }

// number adds the n bits of v, the lowest first.
func (s *streamBits) number(v, n int) *streamBits {
	for i := range n {
		s.bits = append(s.bits, byte(v>>i&1))
	}
	return s
}

// code adds bits as they are spelt, the first first.
func (s *streamBits) code(spelt string) *streamBits {
	for _, c := range strings.ReplaceAll(spelt, " ", "") {
		s.bits = append(s.bits, byte(c-'0'))
	}
	return s
}

// symbol adds the code of a symbol in the canonical code of those lengths.
func (s *streamBits) symbol(lengths []uint8, symbol int) *streamBits {
	codes := make([]uint32, len(lengths))
	canonicalCodes(codes, lengths)
	e := codes[symbol]
	return s.number(int(e>>deflateCodeShift), int(e&deflateCodeLen))
}

// align adds zeros up to a whole byte.
func (s *streamBits) align() *streamBits { return s.number(0, -len(s.bits)&7) }

// begin adds what a block begins with.
func (s *streamBits) begin(last, kind int) *streamBits { return s.number(last, 1).number(kind, 2) }

// stored adds a stored block.
func (s *streamBits) stored(last int, text []byte) *streamBits {
	s.begin(last, deflateStored).align().number(len(text), 16).number(^len(text), 16)
	for _, b := range text {
		s.number(int(b), 8)
	}
	return s
}

// dynamic adds the beginning of a dynamic block with codes of those lengths. The
// lengths have codes of four bits each, and there are no runs.
func (s *streamBits) dynamic(last int, litlens, distances []uint8) *streamBits {
	s.begin(last, deflateDynamic)
	s.number(len(litlens)-deflateMinLitlens, 5).number(len(distances)-deflateMinDistances, 5)
	return s.lengths(litlens, distances)
}

// lengths adds the rest of a header, from the number of lengths of the third code
// on.
func (s *streamBits) lengths(litlens, distances []uint8) *streamBits {
	s.number(deflatePreCodes-deflateMinPreCodes, 4)
	pre := bytes.Repeat([]byte{4}, deflateRepeat)
	for _, symbol := range deflatePreOrder {
		if symbol < deflateRepeat {
			s.number(int(pre[symbol]), 3)
		} else {
			s.number(0, 3)
		}
	}
	for _, l := range append(litlens[:len(litlens):len(litlens)], distances...) {
		s.symbol(pre, int(l))
	}
	return s
}

// bytes returns the stream, zeros filling up its last byte.
func (s *streamBits) bytes() []byte {
	out := make([]byte, (len(s.bits)+7)/8)
	for i, b := range s.bits {
		out[i/8] |= b << (i % 8)
	}
	return out
}

// codeLengths returns n code lengths, of which some are set.
func codeLengths(n int, set map[int]uint8) []uint8 {
	l := make([]uint8, n)
	for symbol, length := range set {
		l[symbol] = length
	}
	return l
}

// ladder returns n code lengths with a complete code of up to 15 bits: one code of
// each length, and two of the longest, for the symbols given.
func ladder(n int, symbols [deflateMaxBits + 1]int) []uint8 {
	l := make([]uint8, n)
	for i, s := range symbols {
		l[s] = uint8(min(i+1, deflateMaxBits))
	}
	return l
}

// handmade is a stream spelt by hand, with the page in it; nil if it is corrupt,
// whatever the page: then size is the length to ask for.
type handmade struct {
	name string
	src  []byte
	page []byte
	size int
}

// handmadeStreams are the cases of the format, valid and not.
func handmadeStreams() (all []handmade) {
	valid := func(name string, s *streamBits, page []byte) {
		all = append(all, handmade{name: name, src: s.bytes(), page: append([]byte{}, page...)})
	}
	corrupt := func(name string, s *streamBits, size int) {
		all = append(all, handmade{name: name, src: s.bytes(), size: size})
	}
	start := func() *streamBits { return new(streamBits) }
	fixed, fixedDistances := fixedLitlenLengths(), fixedDistanceLengths()
	fixedMatch := func(s *streamBits, symbol, lengthExtra, lengthBits, slot, extra, bits int) *streamBits {
		return s.symbol(fixed[:], symbol).number(lengthExtra, lengthBits).symbol(fixedDistances[:], slot).number(extra, bits)
	}
	random := makePage(kindRandom, 40<<10, 50)

	// Blocks.
	valid("fixed block, empty", start().begin(1, deflateFixed).code("0000000"), nil)
	valid("stored block, empty", start().stored(1, nil), nil)
	valid("stored blocks", start().stored(0, random[:5]).stored(0, nil).stored(1, random[5:300]), random[:300])
	valid("fixed behind stored", start().stored(0, []byte("ab")).begin(1, deflateFixed).symbol(fixed[:], 'c').
		symbol(fixed[:], deflateEnd), []byte("abc"))
	valid("stored behind fixed", start().begin(0, deflateFixed).symbol(fixed[:], 'c').symbol(fixed[:], deflateEnd).
		stored(1, []byte("ab")), []byte("cab"))
	corrupt("block type 3", start().begin(1, 3).number(0, 40), 0)
	corrupt("no last block", start().stored(0, []byte("ab")), 2)
	corrupt("no end of block", start().begin(1, deflateFixed).symbol(fixed[:], 'a'), 1)
	corrupt("a byte behind the last block", start().begin(1, deflateFixed).code("0000000").align().number(0, 8), 0)
	corrupt("stored block, lengths disagree", start().begin(1, deflateStored).align().number(1, 16).number(0, 16).number(7, 8), 1)
	corrupt("stored block, cut", start().begin(1, deflateStored).align().number(2, 16).number(^2, 16).number(7, 8), 2)
	corrupt("stored block without length", start().begin(1, deflateStored).align().number(0, 16), 0)
	corrupt("page shorter than the stream", start().stored(1, []byte("abc")), 2)
	corrupt("stored blocks past the page", start().stored(0, []byte("abc")).stored(1, []byte("d")), 2)
	corrupt("page longer than the stream", start().stored(1, []byte("abc")), 4)
	corrupt("literals past the page", start().begin(1, deflateFixed).code("00110000 00110000 0000000"), 1)

	// Matches.
	valid("match of the longest length, by two symbols", fixedMatch(fixedMatch(start().begin(1, deflateFixed).
		symbol(fixed[:], 'x'), 285, 0, 0, 0, 0, 0), 284, 31, 5, 0, 0, 0).symbol(fixed[:], deflateEnd),
		bytes.Repeat([]byte{'x'}, 517))
	far := fixedMatch(start().stored(0, random[:32768]).begin(1, deflateFixed), 257, 0, 0, 29, 8191, 13)
	valid("the greatest distance", far.symbol(fixed[:], deflateEnd), append(random[:32768:32768], random[:3]...))
	corrupt("match past the page", fixedMatch(start().begin(1, deflateFixed).symbol(fixed[:], 'x'), 258, 0, 0, 0, 0, 0).
		symbol(fixed[:], deflateEnd), 4)
	// With literals behind, too, for the decoder has another loop near the end.
	for _, tail := range []int{0, 100} {
		end := func(s *streamBits) *streamBits {
			for range tail {
				s.symbol(fixed[:], 'x')
			}
			return s.symbol(fixed[:], deflateEnd)
		}
		corrupt("long match past the page", end(fixedMatch(start().begin(1, deflateFixed).symbol(fixed[:], 'x'),
			285, 0, 0, 0, 0, 0)), 100)
		for o := range 20 { // a distance to one byte before the page
			s := start().stored(0, random[:o]).begin(1, deflateFixed)
			slot := distanceSlot(o + 1)
			r := deflateDistanceRange[slot]
			corrupt("distance to before the page", end(fixedMatch(s, 257, 0, 0, slot, o+1-int(r.base), int(r.extra))), o+3+tail)
		}
		for slot := deflateDistances; slot < deflateFixedDistances; slot++ {
			for _, bits := range []int{0, 14} {
				corrupt("distance symbol without meaning", end(fixedMatch(start().stored(0, random[:32768]).
					begin(1, deflateFixed), 257, 0, 0, slot, 0, bits)), 32771+tail)
			}
		}
		for symbol := deflateLitlens; symbol < deflateFixedLitlens; symbol++ {
			corrupt("the same in place of the end", start().begin(0, deflateFixed).symbol(fixed[:], symbol).
				stored(1, random[:tail]), tail)
			for _, length := range []int{0, 1, 3, deflateMaxMatch} {
				corrupt("length symbol without meaning", end(start().stored(0, random[:300]).begin(1, deflateFixed).
					symbol(fixed[:], symbol).symbol(fixedDistances[:], 0)), 300+length+tail)
			}
		}
	}

	all = append(all, handmadeHeaders()...)
	return all
}

// handmadeHeaders are the cases of dynamic blocks.
func handmadeHeaders() (all []handmade) {
	valid := func(name string, s *streamBits, page []byte) {
		all = append(all, handmade{name: name, src: s.bytes(), page: append([]byte{}, page...)})
	}
	// With and without more behind, for the decoder has two loops.
	corrupt := func(name string, s *streamBits, size int) {
		all = append(all, handmade{name: name, src: s.bytes(), size: size},
			handmade{name: name + ", with a tail", src: s.number(0, 1000).bytes(), size: 800})
	}
	start := func() *streamBits { return new(streamBits) }
	// One literal, the end, and the shortest match.
	three := codeLengths(258, map[int]uint8{'a': 1, deflateEnd: 2, deflateFirstLen: 2})
	two := codeLengths(257, map[int]uint8{'a': 1, deflateEnd: 1})
	none, one := []uint8{0}, []uint8{1}

	valid("no distance", start().dynamic(1, two, none).symbol(two, 'a').symbol(two, deflateEnd), []byte("a"))
	valid("one distance of one bit", start().dynamic(1, three, one).symbol(three, 'a').symbol(three, deflateFirstLen).
		code("0").symbol(three, deflateEnd), []byte("aaaa"))
	valid("end alone", start().dynamic(1, codeLengths(257, map[int]uint8{deflateEnd: 1}), none).code("0"), nil)
	valid("all symbols", start().dynamic(1, fullLitlens(), fullDistances()).symbol(fullLitlens(), 'z').
		symbol(fullLitlens(), deflateEnd), []byte("z"))
	deep := ladder(deflateLitlens, [...]int{deflateEnd, 257, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 285, 'm'})
	deepDistances := ladder(deflateDistances, [...]int{0, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 3})
	for _, tail := range []int{0, 100} {
		s := start().dynamic(1, deep, deepDistances)
		page := []byte("abcdefghijklm")
		for _, b := range page {
			s.symbol(deep, int(b))
		}
		s.symbol(deep, 257).symbol(deepDistances, 3).symbol(deep, 285).symbol(deepDistances, 4).number(1, 1)
		page = append(page, page[9:12]...)
		for range deflateMaxMatch {
			page = append(page, page[len(page)-6])
		}
		for range tail {
			s.symbol(deep, 'm')
			page = append(page, 'm')
		}
		valid("long codes", s.symbol(deep, deflateEnd), page)
	}

	corrupt("bit 1 of one distance", start().dynamic(1, three, one).symbol(three, 'a').symbol(three, deflateFirstLen).
		code("1").symbol(three, deflateEnd), 4)
	corrupt("a match without distances", start().dynamic(1, three, none).symbol(three, 'a').symbol(three, deflateFirstLen).
		code("0").symbol(three, deflateEnd), 4)
	corrupt("bit 1 of the end alone", start().dynamic(1, codeLengths(257, map[int]uint8{deflateEnd: 1}), none).code("1"), 0)
	for _, n := range [][2]int{{287, 1}, {288, 1}, {257, 31}, {257, 32}} {
		corrupt("too many symbols", start().begin(1, deflateDynamic).number(n[0]-257, 5).number(n[1]-1, 5).
			lengths(append(two, make([]uint8, n[0]-257)...), make([]uint8, n[1])).symbol(two, deflateEnd), 0)
	}
	bad := map[string]map[int]uint8{
		"over-subscribed":            {'a': 1, 'b': 1, deflateEnd: 1},
		"over-subscribed, long":      {'a': 1, 'b': 2, 'c': 15, 'd': 15, 'e': 15, deflateEnd: 2},
		"incomplete":                 {'a': 1, deflateEnd: 2},
		"end alone, of two bits":     {deflateEnd: 2},
		"no end":                     {'a': 1, 'b': 1},
		"no symbol":                  {},
		"incomplete at the 15th bit": {'a': 1, 'b': 2, 'c': 3, deflateEnd: 15},
	}
	for name, set := range bad {
		corrupt("litlens "+name, start().dynamic(1, codeLengths(257, set), none).number(0, 16), 0)
	}
	for name, lengths := range map[string][]uint8{
		"over-subscribed":    {1, 1, 1},
		"incomplete":         {1, 2},
		"one, of two bits":   {2},
		"one, of 15 bits":    {0, 15},
		"incomplete, deeper": {2, 2, 2},
	} {
		corrupt("distances "+name, start().dynamic(1, two, lengths).symbol(two, deflateEnd), 0)
	}
	pre := func(lengths ...int) *streamBits {
		s := start().begin(1, deflateDynamic).number(0, 5).number(0, 5).number(len(lengths)-4, 4)
		for _, l := range lengths {
			s.number(l, 3)
		}
		return s
	}
	// In the order 16, 17, 18, 0, 8, 7, 9, ...
	corrupt("pre-code empty", pre(0, 0, 0, 0).number(0, 300), 0)
	corrupt("pre-code of one symbol", pre(0, 0, 1, 0).number(0, 300), 0)
	corrupt("pre-code incomplete", pre(0, 0, 1, 2).number(0, 300), 0)
	corrupt("pre-code over-subscribed", pre(1, 0, 1, 1).number(0, 300), 0)
	corrupt("a repetition first", pre(1, 0, 1, 0).code("0 00").number(0, 300), 0)
	corrupt("zeros past the end", pre(0, 0, 1, 1).code("1 1111111 1 1111111"), 0)
	corrupt("zeros past the end of good lengths", pre(0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1).
		code("1").number('a'-11, 7).code("0 1").number(138-11, 7).code("1").number(158-138-11, 7).code("0").
		code("1 0000000").code("0 1"), 1)
	corrupt("a header cut", pre(0, 0, 1, 1), 0)
	return all
}

// fullLitlens and fullDistances give every symbol a code.
func fullLitlens() []uint8 {
	l := bytes.Repeat([]byte{8}, deflateLitlens)
	for i := range 2 * (deflateLitlens - 256) {
		l[i] = 9
	}
	return l
}

func fullDistances() []uint8 {
	l := bytes.Repeat([]byte{5}, deflateDistances)
	l[0], l[1] = 4, 4
	return l
}
