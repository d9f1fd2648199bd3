package compress

import (
	"encoding/binary"
	"errors"
)

// zstdDictCounts is what pages consist of beside what their dictionary holds.
type zstdDictCounts struct {
	literals        [256]uint32
	lit, match, off [fseSymbols]uint32 // by code
}

const (
	// zstdDictScale is the sum that counts are scaled to: enough for the rare to
	// differ from the rarest.
	zstdDictScale = 1 << 14
	// zstdDictOffs is how many offset codes there are: they reach over the largest
	// page and the largest dictionary.
	zstdDictOffs = 18
	// zstdDictWorth is the part of a page, in 64ths, that a page must shrink to in
	// order to count: others are stored raw.
	zstdDictWorth = 56
)

// errZstdDictPages says that no pages are left to make tables from.
var errZstdDictPages = errors.New("no page becomes smaller")

// ZstdDictionary returns content in the format of trained dictionaries (RFC 8878,
// 5): before it stand entropy tables for what is left of the pages, which have
// PageSize bytes, when content is taken out of them. All that can come in a page
// has a code in them. Pages that hardly become smaller do not count. id is any
// number above 0; content has 8 bytes or more.
func ZstdDictionary(id uint32, content []byte, pages [][]byte) ([]byte, error) {
	var counts zstdDictCounts
	if err := counts.collect(content, pages); err != nil {
		return nil, err
	}
	dict := append([]byte(nil), zstdDictMagic...)
	dict = binary.LittleEndian.AppendUint32(dict, id)
	dict, err := counts.appendTree(dict)
	if err != nil {
		return nil, err
	}
	dict = appendZstdNorm(dict, counts.off[:zstdDictOffs], zstdOffMaxLog)
	dict = appendZstdNorm(dict, counts.match[:matchCode(PageSize)&255+1], zstdMatchMaxLog)
	dict = appendZstdNorm(dict, counts.lit[:litCode(PageSize)&255+1], zstdLitMaxLog)
	for _, off := range []uint32{1, 4, 8} {
		dict = binary.LittleEndian.AppendUint32(dict, off)
	}
	return append(dict, content...), nil
}

// collect counts over pages taken apart as at the default level.
func (c *zstdDictCounts) collect(content []byte, pages [][]byte) error {
	stream, err := newZstd(Params{Dict: content})
	if err != nil {
		return err
	}
	defer stream.Close()
	s := stream.(*zstdStream)
	dst := make([]byte, DstSize(PageSize)+PageSize)
	counted := 0
	for _, page := range pages {
		if s.code(dst, page) > len(page)*zstdDictWorth/64 {
			continue
		}
		counted++
		for _, b := range s.parse.literals[:s.parse.lits] {
			c.literals[b]++
		}
		for _, q := range s.parse.seqs[:s.parse.n] {
			c.lit[litCode(uint32(q.lit))&255]++
			c.match[matchCode(uint32(q.match))&255]++
			c.off[offCode(q.off)]++
		}
	}
	if counted == 0 {
		return errZstdDictPages
	}
	return nil
}

// appendTree appends the code of literals. The format cannot describe all codes
// of 256 literals: where all are equally long zero gets a shorter one, and where
// they differ too much a lower limit helps.
func (c *zstdDictCounts) appendTree(dict []byte) ([]byte, error) {
	for i := range c.literals {
		c.literals[i]++ // each can come
	}
	var h huffmanBuilder
	var t zstdTree
	var lengths [256]uint8
	dst := make([]byte, 512)
	for limit := literalMaxBits; limit > 8; limit-- {
		for range 2 {
			h.lengths(lengths[:], c.literals[:], limit)
			if end, ok := t.write(dst, 0, &lengths, &h); ok {
				return append(dict, dst[:end]...), nil
			}
			c.literals[0] = max(c.literals[0], 4*c.literals[255])
		}
	}
	return nil, errors.New("the code of literals cannot be described")
}

// appendZstdNorm appends a table that has a code for each count, even where that
// is 0.
func appendZstdNorm(dict []byte, counts []uint32, log uint) []byte {
	sum := uint64(1)
	for _, n := range counts {
		sum += uint64(n)
	}
	scaled := make([]uint16, len(counts))
	total := uint32(0)
	for i, n := range counts {
		scaled[i] = uint16(max(1, uint64(n)*zstdDictScale/sum))
		total += uint32(scaled[i])
	}
	var norm fseNorm
	norm.normalize(scaled, total, log)
	var dst [256]byte
	return append(dict, dst[:norm.write(dst[:], 0, len(counts)-1, log)]...)
}
