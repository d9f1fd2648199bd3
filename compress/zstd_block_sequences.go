package compress

// zstdSequencesHeader is more than a section takes before its bit stream.
const zstdSequencesHeader = 320

// zstdSequenceEncoder writes the sequences section of a block.
type zstdSequenceEncoder struct {
	lit, match, off zstdCodes
	split           zstdSplit
}

// encode writes the section to dst[o:] and returns where it ends, or len(dst) if
// it does not fit. known are tables that may be used again.
func (e *zstdSequenceEncoder) encode(dst []byte, o int, seqs []zstdSequence, tables *zstdTables) int {
	n := len(seqs)
	if n == 0 {
		dst[o] = 0
		return o + 1
	}
	if o+zstdSequencesHeader > len(dst) {
		return len(dst)
	}
	if n < 128 {
		dst[o] = byte(n)
		o++
	} else { // there are not as many as would need a third byte
		dst[o], dst[o+1] = byte(n>>8+128), byte(n)
		o += 2
	}
	var lit, match, off *fseKnown
	if tables != nil {
		lit, match, off = &tables.lit, &tables.match, &tables.off
	}
	e.count(seqs)
	modes, total := o, uint32(n)
	litMode, o := e.lit.choose(dst, o+1, total, zstdLitMaxLog, zstdKnownLit, lit)
	offMode, o := e.off.choose(dst, o, total, zstdOffMaxLog, zstdKnownOff, off)
	matchMode, o := e.match.choose(dst, o, total, zstdMatchMaxLog, zstdKnownMatch, match)
	dst[modes] = litMode<<6 | offMode<<4 | matchMode<<2
	return e.write(dst, o, seqs)
}

// count takes the sequences apart and counts their codes.
func (e *zstdSequenceEncoder) count(seqs []zstdSequence) {
	lit, match, off := &e.lit.counts, &e.match.counts, &e.off.counts
	*lit, *match, *off = [fseSymbols]uint16{}, [fseSymbols]uint16{}, [fseSymbols]uint16{}
	for len(seqs) > 0 {
		k := min(len(seqs), zstdSplitSize)
		e.split.set(seqs[:k])
		for _, codes := range e.split.codes[:k] {
			lit[codes&(fseSymbols-1)]++
			match[codes>>8&(fseSymbols-1)]++
			off[codes>>16&(fseSymbols-1)]++
		}
		seqs = seqs[k:]
	}
}
