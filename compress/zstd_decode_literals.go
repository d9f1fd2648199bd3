package compress

import "encoding/binary"

// The kinds of literals sections (RFC 8878, 3.1.1.3.1.1).
const (
	literalsRaw = iota
	literalsRLE
	literalsCoded
	literalsTreeless // coded with the tree of the block before
)

// literalSlack is how many bytes wide moves may read behind the literals.
const literalSlack = 16

// readLiterals reads the literals section at src[i:end], of at most room
// literals, and returns where it ends. They are d.lits[:d.count], and literalSlack
// bytes follow them.
func (d *zstdDecoder) readLiterals(src []byte, i, end, room int) (next int, ok bool) {
	if i >= end {
		return 0, false
	}
	var padded [8]byte
	copy(padded[:], src[i:min(end, i+5)])
	head := binary.LittleEndian.Uint64(padded[:])
	kind, form := head&3, head>>2&3
	if kind >= literalsCoded {
		return d.readCoded(src, i, end, room, head)
	}
	size := int(head >> 3 & 31)
	switch form {
	case 1:
		size = int(head >> 4 & 0xfff)
		i++
	case 3:
		size = int(head >> 4 & 0xfffff)
		i += 2
	}
	i++
	d.count = size
	if size > room {
		return 0, false
	}
	if kind == literalsRLE {
		if i >= end {
			return 0, false
		}
		d.lits = d.spare
		fill := d.spare[:size]
		for k := range fill {
			fill[k] = src[i]
		}
		return i + 1, true
	}
	if size > end-i {
		return 0, false
	}
	d.lits = src[i:]
	if len(d.lits) < size+literalSlack {
		d.lits = d.spare
		copy(d.spare, src[i:i+size])
	}
	return i + size, true
}

// readCoded reads a section of coded literals; head has its first bytes.
func (d *zstdDecoder) readCoded(src []byte, i, end, room int, head uint64) (next int, ok bool) {
	var size, packed int
	form := head >> 2 & 3
	switch form {
	case 0, 1:
		size, packed = int(head>>4&0x3ff), int(head>>14&0x3ff)
		i += 3
	case 2:
		size, packed = int(head>>4&0x3fff), int(head>>18&0x3fff)
		i += 4
	case 3:
		size, packed = int(head>>4&0x3ffff), int(head>>22&0x3ffff)
		i += 5
	}
	if size > room || packed > end-i {
		return 0, false
	}
	end = i + packed
	if head&3 == literalsCoded {
		n, ok := d.ownTree.read(src, i, end)
		if !ok {
			return 0, false
		}
		d.tree = &d.ownTree
		i += n
	} else if d.tree == nil {
		return 0, false
	}
	d.lits, d.count = d.spare, size
	out := d.spare[:size]
	if form == 0 {
		b, ok := openBackward(src, i, end)
		return end, ok && d.tree.decode(out, b)
	}
	return end, d.tree.decodeFour(out, src, i, end)
}

// decodeFour fills out from the four streams at src[i:end], which a table of the
// lengths of the first three precedes.
func (t *zstdLiterals) decodeFour(out, src []byte, i, end int) bool {
	if end-i < 6 {
		return false
	}
	lengths := binary.LittleEndian.Uint64(src[i-2:]) >> 16
	i += 6
	i2 := i + int(lengths&0xffff)
	i3 := i2 + int(lengths>>16&0xffff)
	i4 := i3 + int(lengths>>32&0xffff)
	part := (len(out) + 3) / 4
	if i4 >= end || 3*part > len(out) {
		return false
	}
	b1, ok1 := openBackward(src, i, i2)
	b2, ok2 := openBackward(src, i2, i3)
	b3, ok3 := openBackward(src, i3, i4)
	b4, ok4 := openBackward(src, i4, end)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return false
	}
	o2, o3, o4 := out[part:], out[2*part:], out[3*part:]
	k := 0
	// Five literals take 55 bits at most, and peek gives 57.
	for k+5 <= len(o4) && b1.left|b2.left|b3.left|b4.left >= 0 {
		b1.left -= t.five((*[5]byte)(out[k:]), b1.peek())
		b2.left -= t.five((*[5]byte)(o2[k:]), b2.peek())
		b3.left -= t.five((*[5]byte)(o3[k:]), b3.peek())
		b4.left -= t.five((*[5]byte)(o4[k:]), b4.peek())
		k += 5
	}
	return t.decode(out[k:part], b1) && t.decode(o2[k:part], b2) && t.decode(o3[k:part], b3) && t.decode(o4[k:], b4)
}

// five decodes five literals from the bits w and returns how many bits it took.
func (t *zstdLiterals) five(out *[5]byte, w uint64) int {
	const shift = 64 - literalMaxBits
	e := t[w>>shift]
	out[0] = byte(e >> 8)
	w <<= e & 63
	took := int(e)
	e = t[w>>shift]
	out[1] = byte(e >> 8)
	w <<= e & 63
	took += int(e)
	e = t[w>>shift]
	out[2] = byte(e >> 8)
	w <<= e & 63
	took += int(e)
	e = t[w>>shift]
	out[3] = byte(e >> 8)
	w <<= e & 63
	took += int(e)
	e = t[w>>shift]
	out[4] = byte(e >> 8)
	return (took + int(e)) & 0xff
}

// decode fills out from b, which must end there.
func (t *zstdLiterals) decode(out []byte, b backward) bool {
	for len(out) > 0 && b.left >= 0 {
		w := b.peek()
		for range 5 {
			e := t[w>>(64-literalMaxBits)]
			out[0] = byte(e >> 8)
			w <<= e & 63
			b.left -= int(e & 63)
			if out = out[1:]; len(out) == 0 {
				break
			}
		}
	}
	return b.left == 0
}
