package compress

import "math/bits"

// sw842Decoder is a place in a stream and in the page that it fills.
type sw842Decoder struct {
	page, src []byte
	o         int // bytes of page written
	b         int // bits of src read
}

// decode fills page up to the template that ends the stream, and says whether
// all was well.
func (d *sw842Decoder) decode() bool {
	for d.b <= len(d.src)*8 {
		x := peekBits(d.src, d.b)
		t := x >> (64 - sw842Template)
		x <<= sw842Template
		d.b += sw842Template
		ok := true
		switch {
		case t < sw842Whole:
			ok = d.halves(t, x)
		case t == sw842Whole:
			d.b += sw842Bits8
			p := d.place(int(x>>(64-sw842Bits8))*8, sw842Ring8)
			if ok = p >= 0 && d.o+sw842Group <= len(d.page); ok {
				d.group(load64(d.page, p))
			}
		case t == sw842Zeros:
			if ok = d.o+sw842Group <= len(d.page); ok {
				d.group(0)
			}
		case t == sw842Repeat:
			d.b += sw842RepeatBits
			ok = d.again(int(x>>(64-sw842RepeatBits)) + 1)
		case t == sw842Short:
			ok = d.short(x)
		default:
			return t == sw842End && d.b <= len(d.src)*8
		}
		if !ok {
			return false
		}
	}
	return false
}

// group writes a group. The caller has made sure that it fits.
func (d *sw842Decoder) group(x uint64) {
	store64(d.page, d.o, x)
	d.o += sw842Group
}

// place returns where the unit is that lies so many bytes into a ring, negative
// if there is none yet: the ring holds the last bytes written, each at its
// position modulo the ring's size.
func (d *sw842Decoder) place(offset, ring int) int {
	return d.o - 1 - (d.o-1-offset)&(ring-1)
}

// again writes the last group so many more times.
func (d *sw842Decoder) again(times int) bool {
	if d.o < sw842Group || d.o+times*sw842Group > len(d.page) {
		return false
	}
	x := load64(d.page, d.o-sw842Group)
	for range times {
		d.group(x)
	}
	return true
}

// short writes the tail of the page from its template's arguments, x.
func (d *sw842Decoder) short(x uint64) bool {
	n := int(x >> (64 - sw842ShortBits))
	if n == 0 || d.o+n != len(d.page) {
		return false
	}
	d.b += sw842ShortBits
	x = peekBits(d.src, d.b)
	for ; d.o < len(d.page); d.o++ {
		d.page[d.o] = byte(x >> 56)
		x <<= 8
	}
	d.b += n * 8
	return true
}

// halves writes a group of two halves, the arguments of the first being x.
func (d *sw842Decoder) halves(t, x uint64) bool {
	if d.o+sw842Group > len(d.page) {
		return false
	}
	kind := t / sw842Kinds
	first, n := d.half(kind, x)
	second, n2 := d.half(t-kind*sw842Kinds, peekBits(d.src, d.b+n))
	d.b += n + n2
	if first|second > 1<<32-1 {
		return false
	}
	d.group(first | second<<32)
	return true
}

// sw842None is no half.
const sw842None = 1 << 32

// half returns the 4 bytes, lowest first, that a kind makes of its arguments,
// sw842None if they name what is not there, and how many bits it takes.
func (d *sw842Decoder) half(kind, x uint64) (uint64, int) {
	switch kind {
	case sw842Index:
		p := d.place(int(x>>(64-sw842Bits4))*4, sw842Ring4)
		if p < 0 {
			return sw842None, 0
		}
		return load64(d.page, p) & (1<<32 - 1), sw842Bits4
	case sw842Indices:
		first, second := d.pair(x), d.pair(x<<sw842Bits2)
		return first | second<<16, 2 * sw842Bits2
	case sw842IndexData:
		data := uint64(bits.ReverseBytes16(uint16(x >> (48 - sw842Bits2))))
		return d.pair(x) | data<<16, sw842Bits2 + 16
	case sw842DataIndex:
		data := uint64(bits.ReverseBytes16(uint16(x >> 48)))
		return data | d.pair(x<<16)<<16, 16 + sw842Bits2
	default:
		return uint64(bits.ReverseBytes32(uint32(x >> 32))), 32
	}
}

// pair returns the 2 bytes that the index at the upper end of x names, or
// sw842None.
func (d *sw842Decoder) pair(x uint64) uint64 {
	p := d.place(int(x>>(64-sw842Bits2))*2, sw842Ring2)
	if p < 0 {
		return sw842None
	}
	return load64(d.page, p) & (1<<16 - 1)
}

// ends says whether the page is full and what follows the end of the stream is
// right: the checksum, which older writers leave out, and zero bits.
func (d *sw842Decoder) ends(sum *sw842Sum) bool {
	if d.o != len(d.page) || len(d.src)%sw842Align != 0 {
		return false
	}
	if d.padded(d.b) {
		return true
	}
	return d.padded(d.b+sw842SumBits) && uint32(peekBits(d.src, d.b)>>(64-sw842SumBits)) == sum.of(d.page)
}

// padded says whether from bit b on there are only the zeros that fill a stream
// up.
func (d *sw842Decoder) padded(b int) bool {
	rest := len(d.src)*8 - b
	if rest < 0 || rest >= sw842Align*8 {
		return false
	}
	return peekBits(d.src, b) == 0 && peekBits(d.src, b+32) == 0
}
