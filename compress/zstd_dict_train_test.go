package compress

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// zstdDictSample is content, and pages that have it in common.
func zstdDictSample() (content []byte, pages [][]byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		content = fmt.Appendf(content, "%x ", r.Uint64())
	}
	for range 64 {
		var p []byte
		for len(p) < PageSize {
			at := r.IntN(len(content) - 40)
			p = fmt.Appendf(append(p, content[at:at+r.IntN(40)]...), "%d", r.IntN(1000))
		}
		pages = append(pages, p[:PageSize])
	}
	return content, pages
}

// TestZstdDictionary: every part can be read, has a code for everything, and
// serves both ways with another implementation.
func TestZstdDictionary(t *testing.T) {
	content, pages := zstdDictSample()
	dict, err := ZstdDictionary(123456, content, pages)
	if err != nil || !bytes.HasSuffix(dict, content) {
		t.Fatalf("%d bytes, %v", len(dict), err)
	}
	tables, _, read, err := parseZstdTables(dict)
	if err != nil || tables == nil || !bytes.Equal(read, content) {
		t.Fatalf("read back: %v, %d bytes of content", err, len(read))
	}
	var every [256]uint32
	for i := range every {
		every[i] = 1
	}
	if _, ok := tables.literalBytes(&every); !ok {
		t.Error("a literal has no code")
	}
	one := make([]uint16, zstdMatchCodes)
	for i := range one {
		one[i] = 1
	}
	for name, c := range map[string]struct {
		table *fseKnown
		codes uint32
	}{
		"literals": {&tables.lit, litCode(PageSize)&255 + 1},
		"match":    {&tables.match, matchCode(PageSize-3)&255 + 1},
		"offset":   {&tables.off, offCode(maxPage+maxDict+3) + 1},
	} {
		if _, ok := c.table.bits(one[:c.codes]); !ok {
			t.Errorf("%s: one of %d has no code", name, c.codes)
		}
	}
	other, err := zstd.InspectDictionary(dict)
	if err != nil || other.ID() != 123456 || !bytes.Equal(other.Content(), content) {
		t.Fatalf("another implementation: %v", err)
	}
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDict(dict), zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true))
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderDicts(dict), zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	s := zstdDictStream(t, dict)
	dst, page := make([]byte, DstSize(PageSize)), make([]byte, PageSize)
	for _, p := range pages {
		if err := s.Decompress(page, enc.EncodeAll(p, nil)); err != nil || !bytes.Equal(page, p) {
			t.Fatalf("its frame: %v", err)
		}
		n, err := s.Compress(dst, p)
		if err != nil {
			t.Fatal(err)
		}
		// A frame without the dictionary's id; that is put in here.
		frame := append([]byte{0x28, 0xb5, 0x2f, 0xfd, dst[4] | 3, 0x40, 0xe2, 0x01, 0x00}, dst[5:n]...)
		if got, err := dec.DecodeAll(frame, nil); err != nil || !bytes.Equal(got, p) {
			t.Fatalf("our frame: %v", err)
		}
	}
}

// TestZstdDictionary_TablesHelp: the tables save more than their own content
// alone, though a page could have its own.
func TestZstdDictionary_TablesHelp(t *testing.T) {
	content, pages := zstdDictSample()
	dict, err := ZstdDictionary(1, content, pages[:32])
	if err != nil {
		t.Fatal(err)
	}
	size := func(dict []byte) (total int) {
		s := zstdDictStream(t, dict)
		dst := make([]byte, DstSize(PageSize))
		for _, p := range pages[32:] {
			n, err := s.Compress(dst, p)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
		return total
	}
	if raw, trained := size(content), size(dict); trained > raw*98/100 {
		t.Errorf("%d bytes with tables, %d without", trained, raw)
	}
}

func TestZstdDictionary_Limits(t *testing.T) {
	content, pages := zstdDictSample()
	dict, err := ZstdDictionary(1, content, pages)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(2, 2))
	noise := make([][]byte, 20)
	for i := range noise {
		noise[i] = make([]byte, PageSize)
		for k := range noise[i] {
			noise[i][k] = byte(r.Uint32())
		}
	}
	if same, err := ZstdDictionary(1, content, append(noise, pages...)); err != nil || !bytes.Equal(same, dict) {
		t.Errorf("pages that do not compress changed the tables: %v", err)
	}
	for name, pages := range map[string][][]byte{"none": nil, "noise": noise} {
		if _, err := ZstdDictionary(1, content, pages); !errors.Is(err, errZstdDictPages) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One literal far more frequent than any: the longest codes that there can be.
	zeros := make([]byte, PageSize)
	for i := 0; i < PageSize; i += 97 {
		zeros[i] = byte(i / 97)
	}
	if dict, err := ZstdDictionary(1, content, [][]byte{zeros}); err != nil {
		t.Error(err)
	} else if _, _, _, err := parseZstdTables(dict); err != nil {
		t.Error(err)
	}
}

func zstdDictStream(t *testing.T, dict []byte) Stream {
	t.Helper()
	c, _ := Lookup("zstd")
	s, err := c.NewStream(Params{Dict: dict})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestZstdDictCounts_AnyCanBeDescribed: tables for any counts can be written, and
// are read whole.
func TestZstdDictCounts_AnyCanBeDescribed(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %#x", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for try := range 400 {
		var c zstdDictCounts
		for i := range c.literals {
			switch try % 4 {
			case 0:
				c.literals[i] = 1 << r.IntN(24)
			case 1:
				c.literals[i] = r.Uint32N(1 << r.IntN(24))
			case 2:
				c.literals[i] = uint32(try)
			case 3:
				c.literals[i] = r.Uint32() >> 7 * uint32(r.IntN(100)/99)
			}
		}
		dict, err := c.appendTree(make([]byte, 8))
		if err != nil {
			t.Fatal(err)
		}
		var tree zstdLiterals
		if n, ok := tree.read(dict, 8, len(dict)); !ok || n != len(dict)-8 {
			t.Fatalf("a tree of %d bytes is read as one of %d, %v", len(dict)-8, n, ok)
		}
		var norm [64]int16
		table := appendZstdNorm(nil, c.literals[:50], zstdMatchMaxLog)
		if codes, log, n, ok := readFSEHeader(table, &norm, zstdMatchCodes-1, zstdMatchMaxLog); !ok || n != len(table) || codes != 50 ||
			log != zstdMatchMaxLog {
			t.Fatalf("a table of %d bytes is read as one of %d, with %d codes and log %d, %v", len(table), n, codes, log, ok)
		}
	}
}
