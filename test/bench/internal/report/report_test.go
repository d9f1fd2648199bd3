package report

import (
	"regexp"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		s    Series
		want float64
	}{
		{nil, 0},
		{Series{3}, 3},
		{Series{9, 1}, 5},
		{Series{5, 1, 100}, 5},
		{Series{4, 1, 3, 2}, 2.5},
		{Series{7, 7, 7, 1, 900}, 7},
	} {
		before := append(Series(nil), c.s...)
		if got := c.s.Median(); got != c.want {
			t.Errorf("median of %v is %v, want %v", before, got, c.want)
		}
		for i := range before {
			if c.s[i] != before[i] {
				t.Errorf("Median reordered %v to %v", before, c.s)
			}
		}
	}
}

func TestSeriesString(t *testing.T) {
	for want, s := range map[string]Series{
		"-":                {},
		"1.50 (1.00-2.00)": {1, 2},
		"12.3 (9.00-1234)": {1234, 12.34, 9},
	} {
		if got := s.String(); got != want {
			t.Errorf("%v prints as %q, want %q", []float64(s), got, want)
		}
	}
}

// Other tools read these lines.
func TestLines(t *testing.T) {
	var out strings.Builder
	Ratio(&out, "engine_write_lzo-rle", Series{1, 2, 3}, Series{4, 4, 1})
	Ratio(&out, "mount_image_zram_rr4k_s1", Series{1}, nil)
	Figure(&out, "engine_write_zstd", Series{123.456}, "MB/s")
	Missing(&out, "mount_loop_nbdkit", "no nbdkit\nat all")
	want := "ratio engine_write_lzo_rle 0.500\n" +
		"missing mount_image_zram_rr4k_s1 one of the two sides gave no figure\n" +
		"figure engine_write_zstd 123.5 MB/s\n" +
		"missing mount_loop_nbdkit no nbdkit; at all\n"
	if out.String() != want {
		t.Errorf("lines:\n%s\nwant:\n%s", out.String(), want)
	}
	line := regexp.MustCompile(`^ratio [a-z0-9_]+ [0-9]+\.[0-9]{3}$`)
	if first, _, _ := strings.Cut(out.String(), "\n"); !line.MatchString(first) {
		t.Errorf("%q is not of the form %s", first, line)
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	Table(&out, []string{"side", "MB/s"}, [][]string{{"ours", "1234.5"}, {"theirs, raw", "9"}})
	want := "" +
		"| side        |   MB/s |\n" +
		"| ----------- | -----: |\n" +
		"| ours        | 1234.5 |\n" +
		"| theirs, raw |      9 |\n\n"
	if out.String() != want {
		t.Errorf("table:\n%s\nwant:\n%s", out.String(), want)
	}
}
