package compress

import "encoding/binary"

const (
	zstdMagic    = 0xfd2fb528
	zstdMaxBlock = 128 << 10 // content of a block, in bytes
)

// The kinds of blocks (RFC 8878, 3.1.1.2.2).
const (
	blockRaw = iota
	blockRLE
	blockCompressed
)

// readFrameHeader reads the header of a frame that is to have size bytes of
// content. It returns where the first block begins, and the bytes of the
// checksum behind the last.
func (d *zstdDecoder) readFrameHeader(src []byte, size int) (i, checksum int, ok bool) {
	var head [24]byte
	copy(head[:], src)
	if binary.LittleEndian.Uint32(head[:]) != zstdMagic {
		return 0, 0, false
	}
	flags := head[4]
	i = 5
	single := flags&0x20 != 0
	if !single {
		i++ // the window: the page is one already
	}
	var id uint64
	if n := 1 << (flags & 3) >> 1; n > 0 {
		id = binary.LittleEndian.Uint64(head[i:]) << (64 - 8*n) >> (64 - 8*n)
		i += n
	}
	content := uint64(size)
	switch field := binary.LittleEndian.Uint64(head[i:]); flags >> 6 {
	case 0:
		if single {
			content = field & 0xff
			i++
		}
	case 1:
		content = field&0xffff + 256
		i += 2
	case 2:
		content = field & 0xffffffff
		i += 4
	case 3:
		content = field
		i += 8
	}
	if flags&4 != 0 {
		checksum = 4
	}
	reserved := flags & 8
	return i, checksum, reserved == 0 && content == uint64(size) && d.hasDictionary(uint32(id))
}

// hasDictionary says whether a frame that names that dictionary can be read; 0
// names none.
func (d *zstdDecoder) hasDictionary(id uint32) bool {
	return id == 0 || d.dict != nil && d.dict.id == id
}

// blocks decodes the blocks from src[i] on, and returns where the last one ends.
func (d *zstdDecoder) blocks(p *zstdPage, src []byte, i int) (end int, ok bool) {
	for i+3 <= len(src) {
		head := int(src[i]) | int(src[i+1])<<8 | int(src[i+2])<<16
		if i, ok = d.block(p, src, i+3, head>>1&3, head>>3); !ok {
			return 0, false
		}
		if head&1 != 0 {
			return i, true
		}
	}
	return 0, false
}

// block decodes the block whose content begins at src[i], and returns where it
// ends.
func (d *zstdDecoder) block(p *zstdPage, src []byte, i, kind, size int) (end int, ok bool) {
	room := p.page[p.o:]
	end = i + size
	switch kind {
	case blockRLE:
		if i >= len(src) || size > len(room) {
			return 0, false
		}
		fill := room[:size]
		for k := range fill {
			fill[k] = src[i]
		}
		p.o += size
		return i + 1, true
	case blockRaw:
		if end > len(src) || size > len(room) {
			return 0, false
		}
		p.o += copy(room, src[i:end])
		return end, true
	case blockCompressed:
		return end, end <= len(src) && size <= zstdMaxBlock && d.compressed(p, src, i, end)
	}
	return 0, false
}

// compressed decodes the block src[i:end].
func (d *zstdDecoder) compressed(p *zstdPage, src []byte, i, end int) bool {
	i, ok := d.readLiterals(src, i, end, len(p.page)-p.o)
	if !ok || i >= end {
		return false
	}
	sequences, i, ok := readCount(src, i, end)
	if !ok {
		return false
	}
	taken := 0
	if sequences > 0 {
		if taken, ok = d.sequences(p, src, i, end, sequences); !ok {
			return false
		}
	} else if i != end {
		return false
	}
	rest := d.lits[taken:d.count]
	if len(rest) > len(p.page)-p.o {
		return false
	}
	p.o += copy(p.page[p.o:], rest)
	return true
}

// readCount reads the number of sequences at src[i] and returns where it ends.
func readCount(src []byte, i, end int) (count, next int, ok bool) {
	count = int(src[i])
	switch {
	case count < 128:
		return count, i + 1, true
	case count < 255 && i+2 <= end:
		return (count-128)<<8 | int(src[i+1]), i + 2, true
	case count == 255 && i+3 <= end:
		return int(binary.LittleEndian.Uint16(src[i+1:])) + 0x7f00, i + 3, true
	}
	return 0, 0, false
}

// sequences decodes and carries out the sequences in src[i:end], the header's
// modes first, and returns how many literals they took.
func (d *zstdDecoder) sequences(p *zstdPage, src []byte, i, end, count int) (taken int, ok bool) {
	if i >= end {
		return 0, false
	}
	i, ok = d.readStates(src, i+1, end, src[i])
	if !ok {
		return 0, false
	}
	s, ok := d.openSequences(src, i, end, count)
	if !ok {
		return 0, false
	}
	for s.rest > 0 {
		n, ok := d.decode(&s, &d.moves)
		if !ok {
			return 0, false
		}
		if taken, ok = p.run(d.moves[:n], d.lits, taken, d.count); !ok {
			return 0, false
		}
	}
	return taken, true
}
