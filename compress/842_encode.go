package compress

import "math/bits"

// Bits of the hashes of units of 2, 4 and 8 bytes.
const sw842Hash2, sw842Hash4, sw842Hash8 = 10, 11, 10

// sw842Tables have the last position of each unit by its hash. They are cleared
// for every page; an unused entry names position 0, a candidate like any other.
// A position has 16 bits, hence maxPage.
type sw842Tables struct {
	of2 [1 << sw842Hash2]uint16
	of4 [1 << sw842Hash4]uint16
	of8 [1 << sw842Hash8]uint16
}

// sw842Encoder writes what was written before as an index, if the tables still
// know it and the ring still holds it.
type sw842Encoder struct {
	last sw842Tables
	src  []byte
	out  bitWriter
}

func sw842At2(v uint16) uint32 { return uint32(v) * 0x9e3779b1 >> (32 - sw842Hash2) }
func sw842At4(v uint32) uint32 { return v * 0x9e3779b1 >> (32 - sw842Hash4) }
func sw842At8(v uint64) uint64 { return v * 0x9e3779b97f4a7c15 >> (64 - sw842Hash8) }

// encode compresses src, whose checksum is sum, into dst and returns the length.
// len(src) is at most maxPage, len(dst) at least DstSize(len(src)).
func (z *sw842Encoder) encode(dst, src []byte, sum uint32) int {
	z.last = sw842Tables{}
	z.src, z.out = src, bitWriter{dst: dst}
	whole := len(src) &^ (sw842Group - 1)
	z.groups(whole)
	if tail := src[whole:]; len(tail) > 0 {
		z.out.put(sw842Short<<sw842ShortBits|uint64(len(tail)), sw842Template+sw842ShortBits)
		for _, b := range tail {
			z.out.put(uint64(b), 8)
		}
	}
	z.out.put(sw842End, sw842Template)
	z.out.put(uint64(sum), sw842SumBits)
	n := z.out.close()
	z.src, z.out = nil, bitWriter{}
	return n
}

// groups writes the first n bytes, all of them whole groups.
func (z *sw842Encoder) groups(n int) {
	for at := 0; at < n; {
		x := load64(z.src, at)
		if x == 0 {
			z.out.put(sw842Zeros, sw842Template)
		} else {
			z.group(at, x)
		}
		z.learn(at, x)
		at += sw842Group
		first := at
		for at < n && load64(z.src, at) == x {
			at += sw842Group
		}
		if at > first {
			z.again(x, (at-first)/sw842Group)
			z.learn(at-sw842Group, x)
		}
	}
}

// again writes the last group, x, so many more times.
func (z *sw842Encoder) again(x uint64, times int) {
	for times > 0 {
		if x == 0 && times <= 2 { // shorter
			z.out.put(sw842Zeros, sw842Template)
			times--
			continue
		}
		k := min(times, sw842RepeatMost)
		z.out.put(uint64(sw842Repeat<<sw842RepeatBits+k-1), sw842Template+sw842RepeatBits)
		times -= k
	}
}

// group writes the group x at that position as one index or as two halves.
func (z *sw842Encoder) group(at int, x uint64) {
	p := int(z.last.of8[sw842At8(x)])
	if load64(z.src, p) == x && sw842Holds(at, p, sw842Ring8) {
		index := p / 8 & (1<<sw842Bits8 - 1)
		z.out.put(uint64(sw842Whole<<sw842Bits8|index), sw842Template+sw842Bits8)
		return
	}
	kind, v, n := z.half(at, uint32(x))
	kind2, v2, n2 := z.half(at, uint32(x>>32))
	z.out.put((kind*sw842Kinds+kind2)<<n|v, sw842Template+n)
	z.out.put(v2, n2)
}

// half returns the cheapest kind for half a group at that position, and its
// arguments with their number of bits.
func (z *sw842Encoder) half(at int, half uint32) (kind, arguments uint64, n uint) {
	p := int(z.last.of4[sw842At4(half)])
	if uint32(load64(z.src, p)) == half && sw842Holds(at, p, sw842Ring4) {
		return sw842Index, uint64(p / 4 & (1<<sw842Bits4 - 1)), sw842Bits4
	}
	first, n := z.pair(at, uint16(half))
	second, n2 := z.pair(at, uint16(half>>16))
	if n == sw842Bits2 {
		kind = sw842IndexData
	}
	if n2 == sw842Bits2 {
		kind += sw842DataIndex
	}
	return kind, first<<n2 | second, n + n2
}

// pair returns the index of two bytes, or themselves.
func (z *sw842Encoder) pair(at int, pair uint16) (argument uint64, n uint) {
	p := int(z.last.of2[sw842At2(pair)])
	if uint16(load64(z.src, p)) == pair && sw842Holds(at, p, sw842Ring2) {
		return uint64(p / 2 & (1<<sw842Bits2 - 1)), sw842Bits2
	}
	return uint64(bits.ReverseBytes16(pair)), 16
}

// sw842Holds says whether the ring still, or already, holds position p when the
// group at that position is read.
func sw842Holds(at, p, ring int) bool { return uint(at-p-1) < uint(ring) }

// learn remembers the units of group x.
func (z *sw842Encoder) learn(at int, x uint64) {
	t := &z.last
	t.of8[sw842At8(x)] = uint16(at)
	t.of4[sw842At4(uint32(x))] = uint16(at)
	t.of4[sw842At4(uint32(x>>32))] = uint16(at + 4)
	t.of2[sw842At2(uint16(x))] = uint16(at)
	t.of2[sw842At2(uint16(x>>16))] = uint16(at + 2)
	t.of2[sw842At2(uint16(x>>32))] = uint16(at + 4)
	t.of2[sw842At2(uint16(x>>48))] = uint16(at + 6)
}
