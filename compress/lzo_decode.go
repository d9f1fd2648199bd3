package compress

import "encoding/binary"

// lzoDecoder is a place in a stream and in the page that it fills.
type lzoDecoder struct {
	page, src []byte
	i, o      int  // how much of src and page is done
	state     int  // literals of the instruction before
	runs      bool // the stream is of version 1
}

// lzoDecompress fills page from a stream of either version.
func lzoDecompress(page, src []byte) error {
	d := lzoDecoder{page: page, src: src}
	if !d.begin() {
		return ErrCorrupt
	}
	for {
		d.hurry()
		if more, ok := d.step(); !ok {
			return ErrCorrupt
		} else if !more {
			break
		}
	}
	if d.i != len(src) || d.o != len(page) {
		return ErrCorrupt
	}
	return nil
}

// begin reads the version and the literals that the first byte may hold.
func (d *lzoDecoder) begin() bool {
	if len(d.src) >= lzoVersioned && d.src[0] == lzoFirst {
		if d.src[1] > lzoVersion {
			return false
		}
		d.runs = d.src[1] == lzoVersion
		d.i = 2
	}
	if d.i < len(d.src) && d.src[d.i] > lzoFirst {
		n := int(d.src[d.i]) - lzoFirst
		d.i++
		return d.literals(n)
	}
	return true
}

// step does one instruction, whatever it is. It reports whether another one
// follows, and whether all was well.
func (d *lzoDecoder) step() (more, ok bool) {
	if d.i >= len(d.src) {
		return false, false
	}
	t := int(d.src[d.i])
	d.i++
	switch {
	case t >= lzoNear:
		high, ok := d.byte()
		return true, ok && d.match(t>>5+1, high<<3+t>>2&7+1, t&3)
	case t >= lzoMid:
		size, ok := d.length(t, 31)
		low, ok2 := d.distance()
		return true, ok && ok2 && d.match(size+2, low>>2+1, low&3)
	case t >= lzoFar:
		return d.far(t)
	case d.state == 0:
		n, ok := d.length(t, 15)
		return true, ok && d.literals(n+lzoLitState)
	}
	high, ok := d.byte()
	off := high<<2 + t>>2
	if d.state <= lzoLitState {
		return true, ok && d.match(2, off+lzoTiny2, t&3)
	}
	return true, ok && d.match(3, off+lzoTiny3, t&3)
}

// far does what an instruction of that first byte can be: a far match, a run of
// zeros, or the end.
func (d *lzoDecoder) far(t int) (more, ok bool) {
	if d.runs && t&8 != 0 && d.i+3 <= len(d.src) {
		if low := int(binary.LittleEndian.Uint16(d.src[d.i:])); low&lzoRunMark == lzoRunMark {
			n := int(d.src[d.i+2])<<3 | t&7
			d.i += 3
			return true, d.zeros(n+lzoRunLeast, low&3)
		}
	}
	size, ok := d.length(t, 7)
	low, ok2 := d.distance()
	if !ok || !ok2 {
		return false, false
	}
	off := t&8<<11 + low>>2
	if off == 0 {
		return false, t == lzoFar|1 && low == 0
	}
	return true, d.match(size+2, off+lzoMidReach, low&3)
}

// byte takes a byte.
func (d *lzoDecoder) byte() (int, bool) {
	if d.i >= len(d.src) {
		return 0, false
	}
	d.i++
	return int(d.src[d.i-1]), true
}

// distance takes the two bytes of a distance and a number of literals.
func (d *lzoDecoder) distance() (int, bool) {
	if d.i+2 > len(d.src) {
		return 0, false
	}
	d.i += 2
	return int(binary.LittleEndian.Uint16(d.src[d.i-2:])), true
}

// length takes the bytes of a length, if the low bits of t are not the length
// themselves.
func (d *lzoDecoder) length(t, mask int) (int, bool) {
	if t &= mask; t != 0 {
		return t, true
	}
	for n := mask; d.i < len(d.src); n += lzoByte {
		d.i++
		if b := d.src[d.i-1]; b != 0 {
			return n + int(b), true
		}
	}
	return 0, false
}

// literals copies n literals.
func (d *lzoDecoder) literals(n int) bool {
	if n > len(d.src)-d.i || n > len(d.page)-d.o {
		return false
	}
	copy(d.page[d.o:], d.src[d.i:d.i+n])
	d.i, d.o, d.state = d.i+n, d.o+n, n
	return true
}

// match copies size bytes from off bytes back, and lit literals.
func (d *lzoDecoder) match(size, off, lit int) bool {
	if off > d.o || size > len(d.page)-d.o {
		return false
	}
	from := d.page[d.o-off:]
	to := d.page[d.o:][:size]
	for k := range to {
		to[k] = from[k]
	}
	d.o += size
	return d.literals(lit)
}

// zeros writes n zero bytes, and lit literals.
func (d *lzoDecoder) zeros(n, lit int) bool {
	if n > len(d.page)-d.o {
		return false
	}
	clear(d.page[d.o:][:n])
	d.o += n
	return d.literals(lit)
}
