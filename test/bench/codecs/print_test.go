package main

import (
	"strings"
	"testing"

	"uzram/test/bench/internal/report"
)

// made is a side that did one page of 4 KiB.
func made(name string, length uint64, compress, decompress report.Series) *side {
	pages := &set{pages: make([]byte, 4096), size: 4096}
	return &side{name: name, set: pages, length: []uint64{length}, compress: compress, decompress: decompress}
}

// Other tools read these lines. Ratios are taken round by round.
func TestLines(t *testing.T) {
	own := made("uzram", 1024, report.Series{10, 300, 60}, report.Series{7})
	c := made("C", 2048, report.Series{20, 100, 40}, report.Series{28})
	library := made("a library", 5000, report.Series{5, 300, 60}, report.Series{7})
	all := []*contest{
		{subject: subject{name: "lzo-rle"}, sides: []*side{own, c, library}, c: c, library: library},
		{subject: subject{name: "842"}, sides: []*side{own}, allocations: 0.25},
	}
	var out strings.Builder
	printLines(&out, all)
	want := "ratio lzo_rle_compress 1.500\nratio lzo_rle_decompress 0.250\nratio lzo_rle_ratio 2.000\n" +
		"ratio lzo_rle_go_compress 1.000\nratio lzo_rle_go_decompress 1.000\nratio lzo_rle_go_ratio 4.000\n" +
		"figure 842_compress 60.0 MB/s\nfigure 842_decompress 7.0 MB/s\nmissing 842 C has no such codec\n" +
		"allocs lzo_rle 0\nallocs 842 0.25\n"
	if out.String() != want {
		t.Errorf("lines:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestTables(t *testing.T) {
	own := made("uzram", 1024, report.Series{100}, report.Series{200})
	own.memory = 3 << 10
	c := made("C", 2048, report.Series{50}, report.Series{800})
	all := []*contest{{subject: subject{name: "9"}, sides: []*side{own, c}, c: c}}

	var table, levels strings.Builder
	printTable(&table, all, 16<<10)
	printLevels(&levels, "lz4hc", all)
	for _, test := range []struct{ text, want string }{
		{table.String(), `
codec, 16 KiB pages | compress MB/s | decompress MB/s | ratio | stream KiB | allocations
9, uzram | 100 (100-100) | 200 (200-200) | 4.000 | 3.0 | 0
9, C | 50.0 (50.0-50.0) | 800 (800-800) | 2.000 | - | -
`},
		{levels.String(), `
lz4hc level | compress MB/s | C's | ours/C | decompress MB/s | C's | ours/C | ratio | C's | ours/C | stream KiB | C's
9 | 100 (100-100) | 50.0 (50.0-50.0) | 2.000 | 200 (200-200) | 800 (800-800) | 0.250 | 4.000 | 2.000 | 2.000 | 3.0 | -
`},
	} {
		for want := range strings.Lines(strings.TrimSpace(test.want)) {
			if !strings.Contains(narrow(test.text), "| "+strings.TrimSpace(want)+" |\n") {
				t.Errorf("no row %q in\n%s", want, test.text)
			}
		}
	}
}

// narrow takes out the spaces that only line columns up.
func narrow(table string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		b.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
	}
	return b.String()
}
