package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"uzram/compress"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/zramdev"
)

// A reference that does not give back what it was given would be a peer of no
// worth; the pages are one that compresses and one that does not get smaller.
func TestReferencesRoundTrip(t *testing.T) {
	text := bytes.Repeat([]byte("a page of text, "), compress.PageSize/16)
	noise := make([]byte, compress.PageSize)
	for i, x := 0, uint64(1); i < len(noise); i++ {
		x = x*6364136223846793005 + 1442695040888963407
		noise[i] = byte(x >> 56)
	}
	for name, ref := range references {
		if _, ok := compress.Lookup(name); !ok {
			t.Errorf("reference of %s, which is no codec", name)
		}
		c, err := ref.open()
		if err != nil {
			t.Fatalf("%s: %v", ref.name, err)
		}
		trial := newTrial(name, ref.name, c, 2)
		if err := trial.round([][]byte{text, noise}); err != nil {
			t.Errorf("%s: %v", ref.name, err)
		}
		if r := trial.ratio(); r < 1.5 || r > 2 {
			t.Errorf("%s: ratio %.3f of a page of text and one of noise, want nearly 2", ref.name, r)
		}
	}
}

func TestSampleLeavesSameFilledOut(t *testing.T) {
	data := make([]byte, 4*64<<10)
	data[100] = 1             // first page of region 0
	data[64<<10] = 1          // region 1: left out by every = 2
	data[2*64<<10+4096+8] = 1 // second page of region 2
	copy(data[3*64<<10:], "x")
	pages := sample(data, 2)
	if len(pages) != 2 || pages[0][100] != 1 || pages[1][8] != 1 {
		t.Errorf("%d pages, want the first of region 0 and the second of region 2", len(pages))
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "2", "-algorithms", "lz4,zstd", "-part", "engine"})
	if err != nil || o.rounds != 2 || len(o.algorithms) != 2 || !o.engine || o.codecs {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-rounds", "0"}, {"-algorithms", "lz5"}, {"-part", "most"}} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, o)
		}
	}
}

// Other tools read these lines: their names, and where a ratio stands for bytes,
// which way round it is.
func TestEngineLines(t *testing.T) {
	contests := func(dead error) []*contest {
		return []*contest{
			{algorithm: "lzo-rle", name: "uzram", write: report.Series{100, 300, 200}, read: report.Series{900},
				memory: zramdev.Memory{MemUsedTotal: 200, ComprDataSize: 100}},
			{algorithm: "lzo-rle", name: "kernel", write: report.Series{400}, read: report.Series{450},
				memory: zramdev.Memory{MemUsedTotal: 100, ComprDataSize: 125}, dead: dead},
			{algorithm: "842", name: "uzram", write: report.Series{7}, read: report.Series{8}},
		}
	}
	const alone = "figure engine_write_842 7.0 MB/s\nfigure engine_read_842 8.0 MB/s\nmissing engine_842 not there\n"
	for _, c := range []struct {
		dead error
		want string
	}{
		{nil, "ratio engine_write_lzo_rle 0.500\nratio engine_read_lzo_rle 2.000\n" +
			"ratio engine_memory_lzo_rle 0.500\nratio engine_compressed_lzo_rle 1.250\n"},
		{errors.New("no memory"), "figure engine_write_lzo_rle 200.0 MB/s\nfigure engine_read_lzo_rle 900.0 MB/s\nmissing engine_lzo_rle no memory\n"},
	} {
		var out strings.Builder
		engineLines(&out, contests(c.dead), "not there")
		if out.String() != c.want+alone {
			t.Errorf("lines:\n%s\nwant:\n%s", out.String(), c.want+alone)
		}
	}
}

func TestCodecLines(t *testing.T) {
	pair := func(name string, compress, decompress float64, length int) *trial {
		return &trial{algorithm: "lz4", name: name, compress: report.Series{compress}, decompress: report.Series{decompress}, length: []int{length}}
	}
	var out strings.Builder
	codecLines(&out, []*trial{pair("uzram", 3, 1, 1024), pair("reference", 2, 4, 2048)})
	want := "ratio codec_lz4_compress 1.500\nratio codec_lz4_decompress 0.250\nratio codec_lz4_ratio 2.000\n"
	if out.String() != want {
		t.Errorf("lines:\n%s\nwant:\n%s", out.String(), want)
	}
}

func TestStopwatchKeepsTheFastest(t *testing.T) {
	w := newStopwatch(2)
	long := time.Now().Add(-time.Hour)
	w.note(0, long)
	w.note(1, long)
	if v := w.speed(7200e6); v < 0.99 || v > 1 {
		t.Errorf("7200 MB in two hours are %v MB/s, want 1", v)
	}
	w.note(0, time.Now().Add(-time.Minute))
	w.note(1, long)
	if v := w.speed(3660e6); v < 0.99 || v > 1 {
		t.Errorf("3660 MB in a minute and an hour are %v MB/s, want 1", v)
	}
	w.note(0, time.Now()) // less than the clock can tell, perhaps
	if w.fastest[0] <= 0 || w.fastest[0] > time.Minute/2 {
		t.Errorf("fastest %v", w.fastest[0])
	}
}
