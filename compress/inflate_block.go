package compress

const (
	// inflateSrcMargin is how much of src two refills may load.
	inflateSrcMargin = 16
	// inflatePageMargin is the room that three literals or a match of up to
	// inflateShort bytes and then some take, in whole words.
	inflatePageMargin = 32
	inflateShort      = 16
)

// block fills the page from o on with a coded block, and returns where it ends.
//
// In range: the loop of whole words goes on while src has inflateSrcMargin bytes
// from b.i and page inflatePageMargin from o on. It refills twice, by up to 8
// bytes each. A distance is at most o.
func (t *inflateTables) block(page, src []byte, b bitReader, o int) (bitReader, int, bool) {
	const litlenMask, distMask = 1<<inflateLitlenBits - 1, 1<<inflateDistBits - 1
	acc, n, i := b.acc, b.n, b.i
	for i+inflateSrcMargin <= len(src) && o+inflatePageMargin <= len(page) {
		acc |= load64(src, i) << (n & 63)
		i += int((63 - n) >> 3)
		n |= 56
		e := t.litlen[acc&litlenMask]
		if e&inflateLiteral != 0 {
			acc >>= e & inflateTaken
			n -= uint(e & inflateTaken)
			store8(page, o, byte(e>>inflateValue))
			o++
			if e = t.litlen[acc&litlenMask]; e&inflateLiteral != 0 {
				acc >>= e & inflateTaken
				n -= uint(e & inflateTaken)
				store8(page, o, byte(e>>inflateValue))
				o++
				if e = t.litlen[acc&litlenMask]; e&inflateLiteral != 0 {
					acc >>= e & inflateTaken
					n -= uint(e & inflateTaken)
					store8(page, o, byte(e>>inflateValue))
					o++
					continue
				}
			}
		}
		if e&inflateSpecial != 0 {
			if e&inflateSub != 0 {
				acc >>= inflateLitlenBits
				n -= inflateLitlenBits
				e = t.litlen[int(e>>inflateValue)+int(acc&(1<<(e>>inflateCodeShift&inflateCodeMask)-1))]
			}
			if e&inflateLiteral != 0 {
				acc >>= e & inflateTaken
				n -= uint(e & inflateTaken)
				store8(page, o, byte(e>>inflateValue))
				o++
				continue
			}
			if e&inflateSpecial != 0 {
				acc >>= e & inflateTaken
				n -= uint(e & inflateTaken)
				return bitReader{acc, n, i}, o, e&inflateEnd != 0
			}
		}
		length := int(e>>inflateValue) + int(acc&(1<<(e&inflateTaken)-1)>>(e>>inflateCodeShift&inflateCodeMask))
		acc >>= e & inflateTaken
		n -= uint(e & inflateTaken)

		acc |= load64(src, i) << (n & 63)
		i += int((63 - n) >> 3)
		n |= 56
		e = t.dist[acc&distMask]
		if e&inflateSpecial != 0 {
			if e&inflateSub == 0 {
				return bitReader{}, o, false
			}
			acc >>= inflateDistBits
			n -= inflateDistBits
			// Codes with subtables are complete, and their symbols all have meaning.
			e = t.dist[int(e>>inflateValue)+int(acc&(1<<(e>>inflateCodeShift&inflateCodeMask)-1))]
		}
		dist := int(e>>inflateValue) + int(acc&(1<<(e&inflateTaken)-1)>>(e>>inflateCodeShift&inflateCodeMask))
		acc >>= e & inflateTaken
		n -= uint(e & inflateTaken)
		if dist > o {
			return bitReader{}, o, false
		}
		if dist >= 8 && length <= inflateShort {
			store64(page, o, load64(page, o-dist))
			store64(page, o+8, load64(page, o-dist+8))
			o += length
			continue
		}
		if length > len(page)-o {
			return bitReader{}, o, false
		}
		inflateCopy(page, o, dist, length)
		o += length
	}
	return t.blockEnd(page, src, bitReader{acc, n, i}, o)
}

// blockEnd is block for the end of src or page: it loads and stores no byte
// beyond them.
func (t *inflateTables) blockEnd(page, src []byte, b bitReader, o int) (bitReader, int, bool) {
	for {
		// Enough for one symbol and its extra bits, and a distance with its own.
		b = b.refill(src)
		e := t.litlen[b.acc&(1<<inflateLitlenBits-1)]
		if e&inflateSub != 0 && e&inflateSpecial != 0 {
			b = b.take(inflateLitlenBits)
			e = t.litlen[int(e>>inflateValue)+int(b.acc&(1<<(e>>inflateCodeShift&inflateCodeMask)-1))]
		}
		bits := b.acc
		b = b.take(uint(e & inflateTaken))
		if e&inflateLiteral != 0 {
			if o == len(page) {
				return b, o, false
			}
			page[o] = byte(e >> inflateValue)
			o++
			continue
		}
		if e&inflateSpecial != 0 {
			return b, o, e&inflateEnd != 0
		}
		length := inflateNumber(e, bits)
		e = t.dist[b.acc&(1<<inflateDistBits-1)]
		if e&inflateSub != 0 && e&inflateSpecial != 0 {
			b = b.take(inflateDistBits)
			e = t.dist[int(e>>inflateValue)+int(b.acc&(1<<(e>>inflateCodeShift&inflateCodeMask)-1))]
		}
		dist := inflateNumber(e, b.acc)
		b = b.take(uint(e & inflateTaken))
		if e&inflateSpecial != 0 || dist > o || length > len(page)-o {
			return b, o, false
		}
		inflateCopy(page, o, dist, length)
		o += length
	}
}

// inflateNumber adds the extra bits to the base of a length or distance.
func inflateNumber(e uint32, bits uint64) int {
	return int(e>>inflateValue) + int(bits&(1<<(e&inflateTaken)-1)>>(e>>inflateCodeShift&inflateCodeMask))
}

// inflateSpread has the factors that repeat the first k bytes of a word through
// all of it, and inflateStep how many of its bytes are whole repetitions.
var (
	inflateSpread = [8]uint64{
		0, 0x0101010101010101, 0x0001000100010001, 0x0001000001000001, 0x0000000100000001,
		0x0000010000000001, 0x0001000000000001, 0x0100000000000001,
	}
	inflateStep = [8]uint8{0, 8, 8, 6, 8, 5, 6, 7}
)

// inflateCopy copies the length bytes at distance dist before o to o. The page
// has them all; what it has beyond them may be written too.
//
// In range: whole words are stored while page has inflatePageMargin bytes more
// than the match, and loaded from places before those.
func inflateCopy(page []byte, o, dist, length int) {
	end := o + length
	if end+inflatePageMargin > len(page) {
		for from := o - dist; o < end; o, from = o+1, from+1 {
			page[o] = page[from]
		}
		return
	}
	from := o - dist
	if dist >= 8 {
		for ; o < end; o, from = o+16, from+16 {
			store64(page, o, load64(page, from))
			store64(page, o+8, load64(page, from+8))
		}
		return
	}
	word := load64(page, from) & (1<<(uint(dist)*8&63) - 1) * inflateSpread[dist&7]
	step := int(inflateStep[dist&7])
	for ; o < end; o += step {
		store64(page, o, word)
	}
}
