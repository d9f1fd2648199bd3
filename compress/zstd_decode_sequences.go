package compress

// zstdMove is a sequence with its repeat offset resolved: literals, then a match.
type zstdMove struct{ literals, match, offset uint32 }

// zstdBatch is how many sequences are decoded before they are carried out: so few
// that they stay in the first-level cache.
const zstdBatch = 128

// The modes of a field's decoder (RFC 8878, 3.1.1.3.2.1).
const (
	statesPredefined = iota
	statesSingle
	statesDescribed
	statesRepeat
)

// readStates sets up the decoders of the fields from the header of a section,
// which begins at src[i], and returns where the stream begins. modes has two
// bits for each field, the first one's highest.
func (d *zstdDecoder) readStates(src []byte, i, end int, modes byte) (next int, ok bool) {
	if modes&3 != 0 {
		return 0, false
	}
	for k := range zstdFields {
		f, own := &zstdFields[k], &d.states[k]
		switch modes >> (6 - 2*k) & 3 {
		case statesPredefined:
			own.copy(&f.predefined)
		case statesRepeat:
			if own.log < 0 {
				return 0, false
			}
		case statesSingle:
			if i >= end || int(src[i]) >= f.count {
				return 0, false
			}
			own.single(f.codes[src[i]])
			i++
		case statesDescribed:
			n, ok := own.read(src[i:end], f)
			if !ok {
				return 0, false
			}
			i += n
		}
	}
	return i, true
}

// zstdSequences is a place in the stream of a block's sequences.
type zstdSequences struct {
	b       backward
	entries [zstdFieldCount]uint64 // the states, loaded
	rest    int                    // sequences to come
}

// openSequences opens the stream src[i:end].
func (d *zstdDecoder) openSequences(src []byte, i, end, count int) (s zstdSequences, ok bool) {
	b, ok := openBackward(src, i, end)
	if !ok {
		return s, false
	}
	w, took := b.peek(), 0
	for k := range d.states {
		t := &d.states[k]
		s.entries[k] = t.state[topBits(w, uint64(t.log))&(maxStates-1)]
		w <<= t.log
		took += t.log
	}
	b.left -= took
	s.b, s.rest = b, count
	return s, true
}

// decode decodes the next sequences, as many as there are and out takes, and
// returns their number.
func (d *zstdDecoder) decode(s *zstdSequences, out *[zstdBatch]zstdMove) (n int, ok bool) {
	n = min(s.rest, zstdBatch)
	in, left := s.b.in, s.b.left
	ll, of, ml := s.entries[fieldLiterals], s.entries[fieldOffset], s.entries[fieldMatch]
	rep := d.repeats
	var took uint64
	for i := range out[:n] {
		if left < 0 {
			return 0, false
		}
		// One word has the bits of the offset and those of the three states. What
		// lengths may have in between is rare.
		w := peekBackward(in, left)
		value := uint32(of>>stateBase + topBits(w, of>>stateBeyond))
		match, literals := uint32(ml>>stateBase), uint32(ll>>stateBase)
		took = ll + ml + of
		beyond := took >> stateBeyond & 0xff
		if (ml+ll)>>stateBeyond&0xff == 0 {
			w <<= beyond & 63
		} else {
			if left < int(beyond) {
				return 0, false
			}
			w = peekBackward(in, left-int(of>>stateBeyond&0xff))
			match += uint32(topBits(w, ml>>stateBeyond))
			w <<= ml >> stateBeyond & 63
			literals += uint32(topBits(w, ll>>stateBeyond))
			w = peekBackward(in, left-int(beyond))
		}
		left -= int(took&0xff + beyond)
		// Of the bits of the states, the lowest are the offset's.
		w >>= -took & 63
		ofNext := of>>stateNext + w&(of>>stateMask)
		w >>= of & 63
		mlNext := ml>>stateNext + w&(ml>>stateMask)
		w >>= ml & 63
		llNext := ll>>stateNext + w&(ll>>stateMask)
		of = d.states[fieldOffset].state[ofNext&(maxStates-1)]
		ml = d.states[fieldMatch].state[mlNext&(maxStates-1)]
		ll = d.states[fieldLiterals].state[llNext&(maxStates-1)]
		rep = rep.next(value, literals)
		out[i] = zstdMove{literals, match, rep.first}
	}
	s.b.left = left
	s.entries = [zstdFieldCount]uint64{fieldLiterals: ll, fieldOffset: of, fieldMatch: ml}
	d.repeats = rep
	if s.rest -= n; s.rest == 0 {
		// No state follows the last sequence.
		return n, left+int(took&0xff) == 0
	}
	return n, true
}

// zstdOffsets are the last three different offsets, the last one first.
type zstdOffsets struct{ first, second, third uint32 }

// next returns them after a sequence with that value of an offset. Values up to 3
// name an offset; without literals the one after that, as the first one would
// have made the match before longer. The order is such that there are no jumps.
func (r zstdOffsets) next(value, literals uint32) zstdOffsets {
	place := value - 1
	if literals == 0 {
		place = value
	}
	offset := value - 3
	if place == 2 {
		offset = r.third
	}
	if place > 1 {
		r.third = r.second
	}
	if place == 1 {
		offset = r.second
	}
	if place == 0 {
		offset = r.first
	}
	if place > 0 {
		r.second = r.first
	}
	if offset == 0 {
		offset = r.first - 1 // the one after the third
	}
	r.first = offset
	return r
}
