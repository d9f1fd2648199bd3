package zramabi

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files instead of comparing")

// golden compares text with testdata/name.
func golden(t *testing.T, name string, text []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(text, want) {
		t.Errorf("%s\ngot  %q\nwant %q", name, text, want)
	}
}

// same checks that parsing got back what was formatted.
func same[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parsed %+v, %v; want %+v", got, err, want)
	}
}

const wide = 123456789012 // more than the eight columns

func TestFormats(t *testing.T) {
	mm := MMStat{4096, 50, 8192, 0, wide, 1, 2, 3, 4}
	golden(t, "mm_stat", mm.Append(nil))
	gotMM, err := ParseMMStat(string(mm.Append(nil)))
	same(t, gotMM, err, mm)

	io := IOStat{1, 22, 0, wide}
	golden(t, "io_stat", io.Append(nil))
	gotIO, err := ParseIOStat(string(io.Append(nil)))
	same(t, gotIO, err, io)

	ds := DebugStat{0, 7}
	golden(t, "debug_stat", ds.Append(nil))
	gotDS, err := ParseDebugStat(string(ds.Append(nil)))
	same(t, gotDS, err, ds)

	bs := BlockStat{IOCount{1, 2, 3, 4}, IOCount{5, 6, 7, 8}, IOCount{12, 13, 14, 15}, 9, 10, wide, 16, 17}
	golden(t, "stat", bs.Append(nil))
	gotBS, err := ParseBlockStat(string(bs.Append(nil)))
	same(t, gotBS, err, bs)

	algos := Algorithms{[]string{"lzo-rle", "lz4", "zstd"}, "lz4"}
	golden(t, "comp_algorithm", algos.Append(nil))
	gotAlgos, err := ParseAlgorithms(string(algos.Append(nil)))
	same(t, gotAlgos, err, algos)
}

func TestOlderKernelsParseToo(t *testing.T) {
	s, err := ParseIOStat("       1       22        0        9\n")
	same(t, s, err, IOStat{1, 22, 0, 9})
	d, err := ParseDebugStat("version: 1\n       0        7\n")
	same(t, d, err, DebugStat{0, 7})
	b, err := ParseBlockState("         300           75.033841 .wh...\n")
	same(t, b, err, BlockState{Index: 300, Seconds: 75, Microseconds: 33841, WrittenBack: true, Huge: true})
}

func TestBlockStateFormat(t *testing.T) {
	lines := []BlockState{
		{Index: 0, Seconds: 3, Same: true},
		{Index: 300, Seconds: 75, Microseconds: 33841, WrittenBack: true, Huge: true},
		{Index: 1<<28 - 1, Seconds: 1<<32 - 1, Idle: true, Recompressed: true, Incompressible: true},
	}
	var text []byte
	for _, l := range lines {
		one := l.Append(nil)
		if len(one) != BlockStateLine {
			t.Errorf("a line of %d bytes: %q", len(one), one)
		}
		got, err := ParseBlockState(string(one))
		same(t, got, err, l)
		text = append(text, one...)
	}
	golden(t, "block_state", text)
}

func TestPageStateFormat(t *testing.T) {
	lines := []PageState{
		{BlockState{Index: 0, Seconds: 3, Same: true}, 0, 0},
		{BlockState{Index: 300, Seconds: 75, Huge: true}, 4096, 0},
		{BlockState{Index: 1<<28 - 1, Seconds: 1<<32 - 1, Recompressed: true}, 61, 3},
	}
	var text []byte
	for _, l := range lines {
		one := l.Append(nil)
		if len(one) != PageStateLine {
			t.Errorf("a line of %d bytes: %q", len(one), one)
		}
		got, err := ParsePageState(string(one))
		same(t, got, err, l)
		text = append(text, one...)
	}
	golden(t, "page_state", text)
}

func TestClassesFormat(t *testing.T) {
	rows := []Class{
		{Index: 0, Size: 32, Fullness: [fullness]uint64{1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3}, Allocated: 768, Used: 600, Pages: 6, PagesPerZspage: 1, Freeable: 1},
		{Index: 254, Size: 4096, Fullness: [fullness]uint64{10: wide}, Allocated: wide, Used: wide, Pages: wide, PagesPerZspage: 1},
	}
	text := AppendClasses(nil, rows)
	golden(t, "classes", text)
	got, err := ParseClasses(string(text))
	same(t, got, err, rows)

	golden(t, "classes-empty", AppendClasses(nil, nil))
}

func TestParsersRefuse(t *testing.T) {
	for name, parse := range map[string]func(string) error{
		"mm_stat":        func(s string) error { _, err := ParseMMStat(s); return err },
		"io_stat":        func(s string) error { _, err := ParseIOStat(s); return err },
		"debug_stat":     func(s string) error { _, err := ParseDebugStat(s); return err },
		"stat":           func(s string) error { _, err := ParseBlockStat(s); return err },
		"block_state":    func(s string) error { _, err := ParseBlockState(s); return err },
		"page_state":     func(s string) error { _, err := ParsePageState(s); return err },
		"classes":        func(s string) error { _, err := ParseClasses(s); return err },
		"comp_algorithm": func(s string) error { _, err := ParseAlgorithms(s); return err },
	} {
		for _, text := range []string{"", "\n", "a", "1 2 -3 4\n", "version: 2\n0 0\n", "lz4 zstd \n", "[lz4] [zstd]\n", "[lz4\n", "1 2.5 .....\n", "1 2.000000 ....xx\n",
			"1 2.000000 ...... 5\n", "1 2.000000 ...... 5 x\n", "1 2.000000 ...... -5 0\n", "1 2.000000 .....x 5 0\n"} {
			if parse(text) == nil {
				t.Errorf("%s takes %q", name, text)
			}
		}
	}
}
