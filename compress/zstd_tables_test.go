package compress

import (
	"bytes"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestZstdTables_Repeat writes blocks that may use the tables of a dictionary
// again. They decode, and are smaller for it.
func TestZstdTables_Repeat(t *testing.T) {
	dict := trainedDict()
	tables, repeats, content, err := parseZstdTables(dict)
	if err != nil || tables == nil || !bytes.HasSuffix(dict, content) || len(content) == len(dict) {
		t.Fatalf("tables %v, %d bytes of content, %v", tables != nil, len(content), err)
	}
	z := newZstdBlockJudge(t, zstd.WithDecoderDicts(dict))
	z.id = 7
	with, without := 0, 0
	for kind := range pageKinds {
		for n := 20; n <= PageSize; n += n/3 + 1 {
			page := makePage(kind, n, 2)
			p := zstdParser{rep: int(repeats[0])}
			p.parse(page)
			z.tables = nil
			without += z.check(t, p.literals, p.seqs, page, false)
			z.tables = tables
			with += z.check(t, p.literals, p.seqs, page, false)
		}
	}
	t.Logf("%d bytes with the tables, %d without", with, without)
	if with >= without {
		t.Errorf("%d bytes with the tables, %d without", with, without)
	}
	if z.kinds[zstdLiteralsTreeless] == 0 || z.modes[0][zstdTableRepeat] == 0 || z.modes[1][zstdTableRepeat] == 0 ||
		z.modes[2][zstdTableRepeat] == 0 {
		t.Errorf("types of literals %v, modes of tables %v: one was not used again", z.kinds, z.modes)
	}
}

// TestZstdTables_Content has dictionaries without tables, and with bad ones.
func TestZstdTables_Content(t *testing.T) {
	dict := trainedDict()
	for _, plain := range [][]byte{nil, {1}, dict[1:]} {
		tables, repeats, content, err := parseZstdTables(plain)
		if err != nil || tables != nil || repeats != [3]uint32{1, 4, 8} || !bytes.Equal(content, plain) {
			t.Errorf("%d bytes: tables %v, repeats %v, %d bytes of content, %v",
				len(plain), tables != nil, repeats, len(content), err)
		}
	}
	for n := 4; n < 100; n++ {
		if _, _, _, err := parseZstdTables(dict[:n]); err == nil {
			t.Errorf("a dictionary cut to %d bytes is accepted", n)
		}
	}
}
