package zramdev

import (
	"slices"
	"testing"
)

func TestAlgorithms(t *testing.T) {
	got := algorithms("lzo-rle lzo [lz4] zstd \n")
	if !slices.Equal(got, []string{"lzo-rle", "lzo", "lz4", "zstd"}) {
		t.Errorf("algorithms %q", got)
	}
}

func TestParseMemory(t *testing.T) {
	got, err := parseMemory("67108864 24714240 26476544        0 26476545     1517        3      628      629\n")
	want := Memory{OrigDataSize: 67108864, ComprDataSize: 24714240, MemUsedTotal: 26476544, SamePages: 1517, HugePages: 628}
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "1 2 3", "1 2 3 4 5 x 7 8 9", "-1 2 3 4 5 6 7 8 9"} {
		if m, err := parseMemory(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, m)
		}
	}
}
