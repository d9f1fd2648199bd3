package zramabi

import (
	"errors"
	"strings"
	"syscall"
	"testing"
)

// FuzzCommands: no text makes a grammar panic or fail without an errno.
func FuzzCommands(f *testing.F) {
	for _, s := range []string{"", "1\n", "64K", "0x", "+1", "-1", `algo="zstd" level=3`, `"a=b c`, "level=", "off", "18446744073709551616"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		check := func(grammar string, err error) {
			var errno syscall.Errno
			if err != nil && !errors.As(err, &errno) {
				t.Errorf("%s %q: %v has no errno", grammar, s, err)
			}
		}
		_, err := ParseSize(s)
		check("size", err)
		for _, bits := range []int{16, 32, 64} {
			n, err := ParseU10(s, bits)
			check("u10", err)
			if n>>(bits-1)>>1 != 0 {
				t.Errorf("u10 %q of %d bits gave %d", s, bits, n)
			}
			_, err = ParseU0(s, bits)
			check("u0", err)
		}
		_, err = ParseBool(s)
		check("bool", err)
		_, err = ParseName(s)
		check("name", err)
		p, err := ParseAlgorithmParams(s)
		check("params", err)
		if err == nil && !strings.Contains(p.Algo+p.Dict, `"`) {
			if again, err := ParseAlgorithmParams(p.String()); err != nil || again != p {
				t.Errorf("%q: %+v printed as %q is read back as %+v, %v", s, p, p.String(), again, err)
			}
		}
	})
}

// FuzzFiles: what a parser takes, its formatter writes so that it is taken
// again as the same.
func FuzzFiles(f *testing.F) {
	f.Add("       0        0 0        0\n")
	f.Add("         300           75.033841 .wh...\n")
	f.Add(string(MMStat{}.Append(nil)))
	f.Add(string(BlockStat{}.Append(nil)))
	f.Add(string(DebugStat{}.Append(nil)))
	f.Add(string(AppendClasses(nil, []Class{{Size: 32}})))
	f.Fuzz(func(t *testing.T, s string) {
		again(t, s, ParseMMStat, MMStat.Append)
		again(t, s, ParseIOStat, IOStat.Append)
		again(t, s, ParseDebugStat, DebugStat.Append)
		again(t, s, ParseBlockStat, BlockStat.Append)
		again(t, s, ParseBlockState, BlockState.Append)
		again(t, s, ParsePageState, PageState.Append)
		if rows, err := ParseClasses(s); err == nil {
			got, err := ParseClasses(string(AppendClasses(nil, rows)))
			if err != nil || len(got) != len(rows) {
				t.Errorf("%q: %v, %v", s, got, err)
			}
		}
	})
}

func again[T comparable](t *testing.T, s string, parse func(string) (T, error), format func(T, []byte) []byte) {
	v, err := parse(s)
	if err != nil {
		return
	}
	text := string(format(v, nil))
	if got, err := parse(text); err != nil || got != v {
		t.Errorf("%q: %+v printed as %q is read back as %+v, %v", s, v, text, got, err)
	}
}
