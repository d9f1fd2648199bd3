package compress

// deflateWriter writes bits, the lowest first. dst has 8 bytes more than are
// written.
type deflateWriter struct {
	dst []byte
	o   int    // whole bytes written
	acc uint64 // the bits behind them
	n   uint   // their number, below 8
}

// put writes the low n bits of v, whose others are 0; n is at most 56.
//
// In range: by the room that dst has.
func (w *deflateWriter) put(v uint64, n uint) {
	w.acc |= v << (w.n & 63)
	w.n += n
	store64(w.dst, w.o, w.acc)
	w.o += int(w.n >> 3)
	w.acc >>= w.n &^ 7 & 63
	w.n &= 7
}

// code writes a code.
func (w *deflateWriter) code(e uint32) { w.put(uint64(e>>deflateCodeShift), uint(e&deflateCodeLen)) }

// align fills up the last byte with zeros.
func (w *deflateWriter) align() { w.put(0, -w.n&7) }

// block writes text as a block of the type that takes the fewest bits. The plan
// for it has been made.
func (c *deflateCoder) block(w *deflateWriter, text []byte, sequences []deflateSequence, last bool) {
	final := uint64(0)
	if last {
		final = 1
	}
	fixed := &deflateFixedCodes
	dynamicBits := c.header.bits + c.cost(&c.litlenLengths, &c.distanceLengths)
	fixedBits := c.cost(&fixed.litlens, &fixed.distances)
	switch least := min(dynamicBits, fixedBits); {
	case storedBits(len(text)) <= least:
		w.stored(text, final)
		return
	case fixedBits == least:
		w.put(final|deflateFixed<<1, 3)
		c.litlenLengths, c.distanceLengths = fixed.litlens, fixed.distances
	default:
		w.put(final|deflateDynamic<<1, 3)
		c.writeHeader(w)
	}
	c.makeCodes()
	c.write(w, text, sequences)
}

// storedBits is the most bits that stored takes for n bytes, but for the 3 with
// which every block begins.
func storedBits(n int) int {
	blocks := max(1, (n+deflateMaxStored-1)/deflateMaxStored)
	return 8*n + blocks*(7+32) + (blocks-1)*3
}

// stored writes text as it is.
func (w *deflateWriter) stored(text []byte, final uint64) {
	for {
		n := min(len(text), deflateMaxStored)
		if n == len(text) {
			w.put(final|deflateStored<<1, 3)
		} else {
			w.put(deflateStored<<1, 3)
		}
		w.align()
		w.put(uint64(n)|uint64(n^deflateMaxStored)<<16, 32)
		w.o += copy(w.dst[w.o:], text[:n])
		if text = text[n:]; len(text) == 0 {
			return
		}
	}
}

func (c *deflateCoder) writeHeader(w *deflateWriter) {
	h := &c.header
	canonicalCodes(c.preCodes[:], c.preLengths[:])
	w.put(uint64(h.litlens-deflateMinLitlens), 5)
	w.put(uint64(h.distances-deflateMinDistances), 5)
	w.put(uint64(h.pres-deflateMinPreCodes), 4)
	for _, s := range deflatePreOrder[:h.pres] {
		w.put(uint64(c.preLengths[s]), 3)
	}
	for _, item := range h.items[:h.size] {
		symbol := item & (1<<deflateItemShift - 1)
		w.code(c.preCodes[symbol])
		if symbol >= deflateRepeat {
			w.put(uint64(item>>deflateItemShift), uint(deflatePreExtra[symbol-deflateRepeat]))
		}
	}
}

// write writes the symbols of text.
//
// In range: the cost is known to be at most that of a stored block, for which dst
// has room and 8 bytes more.
func (c *deflateCoder) write(w *deflateWriter, text []byte, sequences []deflateSequence) {
	dst, o, acc, n := w.dst, w.o, w.acc, w.n
	for _, s := range sequences {
		literals := text[:s.literals]
		for ; len(literals) >= 4; literals = literals[4:] {
			e := c.litlenCodes[literals[0]]
			acc |= uint64(e>>deflateCodeShift) << (n & 63)
			n += uint(e & deflateCodeLen)
			e = c.litlenCodes[literals[1]]
			acc |= uint64(e>>deflateCodeShift) << (n & 63)
			n += uint(e & deflateCodeLen)
			e = c.litlenCodes[literals[2]]
			acc |= uint64(e>>deflateCodeShift) << (n & 63)
			n += uint(e & deflateCodeLen)
			e = c.litlenCodes[literals[3]]
			acc |= uint64(e>>deflateCodeShift) << (n & 63)
			n += uint(e & deflateCodeLen)
			store64(dst, o, acc)
			o += int(n >> 3)
			acc >>= n &^ 7 & 63
			n &= 7
		}
		for _, b := range literals {
			e := c.litlenCodes[b]
			acc |= uint64(e>>deflateCodeShift) << (n & 63)
			n += uint(e & deflateCodeLen)
		}
		store64(dst, o, acc)
		o += int(n >> 3)
		acc >>= n &^ 7 & 63
		n &= 7

		// Length and distance have 19 and 28 bits at most.
		e := c.matchCodes[s.length%256]
		acc |= uint64(e>>deflateCodeShift) << (n & 63)
		n += uint(e & deflateCodeLen)
		slot := s.slot % deflateFixedDistances
		e = c.distanceCodes[slot]
		acc |= uint64(e>>deflateCodeShift) << (n & 63)
		n += uint(e & deflateCodeLen)
		r := deflateSlotRange[slot]
		acc |= uint64(s.distance+1-r.base) << (n & 63)
		n += uint(r.extra)
		store64(dst, o, acc)
		o += int(n >> 3)
		acc >>= n &^ 7 & 63
		n &= 7
		text = text[int(s.literals)+int(s.length)+deflateMinMatch:]
	}
	w.o, w.acc, w.n = o, acc, n
	for _, b := range text {
		w.code(c.litlenCodes[b])
	}
	w.code(c.litlenCodes[deflateEnd])
}
