package compress

import (
	"errors"
	"syscall"
	"testing"
)

// TestCodec_Check has the table of algorithm_params: what disksize says to each
// parameter of each algorithm.
func TestCodec_Check(t *testing.T) {
	lev := func(l int32) Params { return Params{Level: l, HasLevel: true} }
	win := func(w int32) Params { return Params{WinBits: w, HasWinBits: true} }
	dict := func(n int) Params { return Params{Dict: make([]byte, n)} }
	both := Params{Level: 6, HasLevel: true, WinBits: -12, HasWinBits: true}
	const ok = syscall.Errno(0)
	for _, c := range []struct {
		codec string
		what  string
		p     Params
		want  syscall.Errno
	}{
		{"lz4", "defaults", Params{}, ok},
		{"lz4", "level 1", lev(1), ok},
		{"lz4", "level 65537", lev(65537), ok},
		{"lz4", "level 2^31-1", lev(1<<31 - 1), ok},
		{"lz4", "level 0", lev(0), syscall.EINVAL},
		{"lz4", "level -1", lev(-1), syscall.EINVAL},
		{"lz4", "any winbits", win(99), ok},
		{"lz4", "dict", dict(maxDict), ok},
		{"lz4", "empty dict", Params{Dict: []byte{}}, ok},
		{"lz4", "large dict", dict(maxDict + 1), syscall.EINVAL},
		{"lz4hc", "defaults", Params{}, ok},
		{"lz4hc", "level 1", lev(1), ok},
		{"lz4hc", "level 16", lev(16), ok},
		{"lz4hc", "level 0", lev(0), syscall.EINVAL},
		{"lz4hc", "level 17", lev(17), syscall.EINVAL},
		{"lz4hc", "any winbits", win(99), ok},
		{"lz4hc", "dict", dict(maxDict), ok},
		{"lz4hc", "large dict", dict(maxDict + 1), syscall.EINVAL},
		{"zstd", "defaults", Params{}, ok},
		{"zstd", "level -131072", lev(-131072), ok},
		{"zstd", "level 0", lev(0), ok},
		{"zstd", "level 22", lev(22), ok},
		{"zstd", "level -131073", lev(-131073), syscall.EINVAL},
		{"zstd", "level 23", lev(23), syscall.EINVAL},
		{"zstd", "any winbits", win(99), ok},
		{"zstd", "dict", dict(maxDict), ok},
		{"zstd", "large dict", dict(maxDict + 1), syscall.EINVAL},
		{"zstd", "broken trained dict", Params{Dict: append(zstdDictMagic[:4:4], "no tables here, only text"...)}, syscall.EINVAL},
		{"deflate", "defaults", Params{}, ok},
		{"deflate", "level -1", lev(-1), ok},
		{"deflate", "level 0", lev(0), ok},
		{"deflate", "level 9", lev(9), ok},
		{"deflate", "level -2", lev(-2), syscall.EINVAL},
		{"deflate", "level 10", lev(10), syscall.EINVAL},
		{"deflate", "winbits 9", win(9), ok},
		{"deflate", "winbits 15", win(15), ok},
		{"deflate", "winbits -9", win(-9), ok},
		{"deflate", "winbits -15", win(-15), ok},
		{"deflate", "winbits 8", win(8), syscall.EINVAL},
		{"deflate", "winbits 16", win(16), syscall.EINVAL},
		{"deflate", "winbits -8", win(-8), syscall.EINVAL},
		{"deflate", "winbits -16", win(-16), syscall.EINVAL},
		{"deflate", "winbits 0", win(0), syscall.EINVAL},
		{"deflate", "level and winbits", both, ok},
		{"lzo-rle", "level 1", lev(1), syscall.EOPNOTSUPP},
		{"lzo", "dict", dict(100), syscall.EOPNOTSUPP},
		{"842", "any winbits", win(99), ok},
		{"deflate", "dict", dict(100), syscall.EOPNOTSUPP},
		{"deflate", "large dict", dict(maxDict + 1), syscall.EOPNOTSUPP},
	} {
		codec, found := Lookup(c.codec)
		if !found {
			t.Fatalf("no codec %q", c.codec)
		}
		if got := errno(t, codec.Check(c.p)); got != c.want {
			t.Errorf("%s, %s: Check gives %v, want %v", c.codec, c.what, got, c.want)
		}
		s, err := codec.NewStream(c.p)
		if got := errno(t, err); got != c.want {
			t.Errorf("%s, %s: NewStream gives %v, want %v", c.codec, c.what, got, c.want)
		}
		if err == nil {
			if err := s.Close(); err != nil {
				t.Errorf("%s, %s: close: %v", c.codec, c.what, err)
			}
		}
	}
}

// TestRule_NoLevel covers the algorithms that take neither level nor dictionary.
func TestRule_NoLevel(t *testing.T) {
	none := rule{}
	for what, p := range map[string]Params{
		"level":      {Level: 1, HasLevel: true},
		"dictionary": {Dict: []byte("x")},
	} {
		if got := errno(t, none.check("none", p)); got != syscall.EOPNOTSUPP {
			t.Errorf("%s: %v, want EOPNOTSUPP", what, got)
		}
	}
	if err := none.check("none", Params{WinBits: 99, HasWinBits: true}); err != nil {
		t.Errorf("winbits: %v, want them ignored", err)
	}
}

// errno returns the errno that err wraps, 0 for nil.
func errno(t *testing.T, err error) syscall.Errno {
	t.Helper()
	var no syscall.Errno
	if err != nil && !errors.As(err, &no) {
		t.Errorf("%v wraps no errno", err)
	}
	return no
}
