package size

import (
	"errors"
	"math"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want uint64
	}{
		{"0", 0}, {"1", 1}, {"4096", 4096}, {"007", 7},
		{"1K", 1 << 10}, {"1k", 1 << 10}, {"2M", 2 << 20}, {"3g", 3 << 30}, {"4T", 4 << 40}, {"5p", 5 << 50}, {"6E", 6 << 60},
		{"512MB", 512 << 20}, {"512MiB", 512 << 20}, {"1gB", 1 << 30}, {"1kiB", 1 << 10},
		{"15E", 15 << 60}, {"16383P", 16383 << 50}, {"18446744073709551615", math.MaxUint64},
		{"18014398509481983K", math.MaxUint64 &^ 1023}, {"0E", 0},
	} {
		got, err := Parse(c.in)
		if err != nil || got != c.want {
			t.Errorf("Parse(%q) = %d, %v; want %d", c.in, got, err, c.want)
		}
	}
}

func TestParse_Refused(t *testing.T) {
	for _, in := range []string{
		"", " ", "K", "B", "iB", "-1", "+1", " 1", "1 ", "1 K", "1.5G", "1,5G", "0x10", "1e3", "1B", "1iB", "1KI", "1Kb", "1KIB",
		"1Kib", "1KiBs", "1KBB", "1KK", "1Z", "1Y", "1\n", "1K\n", "1M\x00", "１K", "1µ", "1+", "1\x0b", "1ki", "1GiB ",
		"16E", "16384P", "18014398509481984K", "18446744073709551616", "99999999999999999999999", "17179869184G",
	} {
		if got, err := Parse(in); !errors.Is(err, ErrSize) {
			t.Errorf("Parse(%q) = %d, %v; want ErrSize", in, got, err)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		in   uint64
		want string
	}{
		{0, "0 B"}, {1023, "1023 B"}, {1024, "1.00 KiB"}, {1536, "1.50 KiB"}, {10 << 20, "10.0 MiB"}, {100 << 30, "100 GiB"},
		{1023 << 30, "1023 GiB"}, {1 << 40, "1.00 TiB"}, {math.MaxUint64, "16.0 EiB"},
	} {
		if got := Format(c.in); got != c.want {
			t.Errorf("Format(%d) = %q, want %q", c.in, got, c.want)
		}
	}
}

// FuzzParse checks that whatever is accepted is digits and a unit, and that the value grows with the unit.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1K", "16E", "0", "7GiB", "1.5G", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s)
		if err != nil {
			return
		}
		if c := s[0]; c < '0' || c > '9' {
			t.Fatalf("Parse(%q) = %d: accepted without a digit", s, n)
		}
		if last := s[len(s)-1]; last >= '0' && last <= '9' {
			if k, err := Parse(s + "K"); err == nil && k != n*1024 {
				t.Fatalf("Parse(%q) = %d, with K %d", s, n, k)
			}
		}
	})
}
