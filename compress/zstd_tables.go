package compress

import "encoding/binary"

// zstdTables is what an encoder uses of the entropy tables of a trained
// dictionary (RFC 8878, 5).
type zstdTables struct {
	code            zstdCode
	lit, match, off fseKnown
}

// parseZstdTables takes a dictionary apart: its tables, nil if it is content
// alone, the repeat offsets that it begins with, and its content, a part of dict.
func parseZstdTables(dict []byte) (t *zstdTables, repeats [3]uint32, content []byte, err error) {
	d, err := readZstdDictionary(dict)
	if err != nil || !d.trained {
		return nil, [3]uint32{1, 4, 8}, dict, err
	}
	t = new(zstdTables)
	i := 8 // magic and id
	n, _ := d.tree.read(dict, i, len(dict))
	t.readCode(&d.tree)
	i += n
	for _, table := range []struct {
		known           *fseKnown
		symbols, maxLog int
	}{
		{&t.off, zstdOffCodes, zstdOffMaxLog},
		{&t.match, zstdMatchCodes, zstdMatchMaxLog},
		{&t.lit, zstdLitCodes, zstdLitMaxLog},
	} {
		var norm fseNorm
		symbols, log, n, ok := readFSEHeader(dict[i:], (*[fseSymbols]int16)(&norm), table.symbols-1, table.maxLog)
		if !ok {
			return nil, repeats, nil, errZstdDictionary
		}
		table.known.build(norm[:symbols], uint(log))
		i += n
	}
	for k := range repeats {
		repeats[k] = binary.LittleEndian.Uint32(dict[i+4*k:])
	}
	return t, repeats, d.content, nil
}

// readCode sets the code to the one that a decoder reads.
func (t *zstdTables) readCode(tree *zstdLiterals) {
	var lengths [256]uint8
	for _, entry := range tree {
		lengths[entry>>8] = uint8(entry)
	}
	var perLength [huffmanDepths]uint16
	longest := 0
	for _, l := range lengths {
		if l > 0 {
			perLength[l&(huffmanDepths-1)]++
			longest = max(longest, int(l))
		}
	}
	t.code.assign(&lengths, &perLength, longest)
}

// literalBytes returns what literals take in the dictionary's code, and whether
// it has all of them.
func (t *zstdTables) literalBytes(counts *[256]uint32) (size int, ok bool) {
	total, missing := uint64(0), uint32(0)
	for s, c := range counts {
		l := t.code[s] & 63
		total += uint64(c) * l
		if l == 0 {
			missing |= c
		}
	}
	return int(total >> 3), missing == 0
}
