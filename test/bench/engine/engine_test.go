package main

import (
	"errors"
	"strings"
	"testing"

	"uzram/test/bench/internal/report"
	"uzram/test/internal/zramdev"
)

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "2", "-algorithms", "lz4,lzo-rle"})
	if err != nil || o.rounds != 2 || len(o.algorithms) != 2 {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-rounds", "0"}, {"-algorithms", "lz5"}} {
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
