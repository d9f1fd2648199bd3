package compress

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// vector is a case of a file in testdata, which says what its lines mean.
type vector struct {
	name    string
	encode  bool   // the encoder makes the same of the page
	bits    string // of the stream, without what fills it up; "" if not told
	stream  []byte
	page    []byte
	corrupt bool // there is no page
}

func readVectors(t testing.TB, file string) (all []vector) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if what == "case" {
			all = append(all, vector{name: rest})
			continue
		}
		var v *vector
		if len(all) > 0 {
			v = &all[len(all)-1]
		}
		switch what {
		case "":
		case "encode":
			v.encode = true
		case "bits":
			v.bits += parseBits(t, rest)
		case "stream":
			v.stream = append(v.stream, parseHex(t, rest)...)
		case "page":
			if v.corrupt = rest == "corrupt"; !v.corrupt {
				v.page = append(v.page, parseHex(t, rest)...)
			}
		default:
			t.Fatalf("%s, line %d: %q", file, n+1, what)
		}
	}
	if len(all) == 0 {
		t.Fatalf("%s has no case", file)
	}
	return all
}

// parseHex reads bytes in hex, and groups of them repeated: (00 ff)*3.
func parseHex(t testing.TB, s string) (out []byte) {
	t.Helper()
	begin := 0
	for word := range strings.FieldsSeq(s) {
		if word[0] == '(' {
			begin, word = len(out), word[1:]
		}
		digits, times, repeated := strings.Cut(word, ")*")
		b, err := strconv.ParseUint(digits, 16, 8)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		out = append(out, byte(b))
		if !repeated {
			continue
		}
		n, err := strconv.Atoi(times)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		out = append(out, bytes.Repeat(out[begin:], n-1)...)
	}
	return out
}

// parseBits reads bits, some of them as hex digits behind an x.
func parseBits(t testing.TB, s string) string {
	t.Helper()
	var b strings.Builder
	for word := range strings.FieldsSeq(s) {
		digits, hex := strings.CutPrefix(word, "x")
		if !hex {
			b.WriteString(word)
			continue
		}
		for _, d := range digits {
			v, err := strconv.ParseUint(string(d), 16, 4)
			if err != nil {
				t.Fatalf("%q: %v", s, err)
			}
			b.WriteString(strconv.FormatUint(16+v, 2)[1:])
		}
	}
	return b.String()
}

// packBits makes bytes of bits, filled up with zeros to a multiple of 8 bytes.
func packBits(t testing.TB, s string) (out []byte) {
	t.Helper()
	s += strings.Repeat("0", (64-len(s)%64)%64)
	for ; s != ""; s = s[8:] {
		b, err := strconv.ParseUint(s[:8], 2, 8)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, byte(b))
	}
	return out
}

// checkVectors reads every stream of a file, and writes those pages of which the
// file says what becomes of them.
func checkVectors(t *testing.T, file string, s Stream) {
	for _, v := range readVectors(t, file) {
		t.Run(v.name, func(t *testing.T) {
			if v.bits != "" && !bytes.Equal(packBits(t, v.bits), v.stream) {
				t.Errorf("the bits are % x, the stream says % x", packBits(t, v.bits), v.stream)
			}
			size := len(v.page)
			if v.corrupt {
				size = PageSize
			}
			for range 2 { // the second time as the end of a longer slice
				got, intact := guarded(size)
				err := s.Decompress(got, v.stream)
				switch {
				case !intact():
					t.Error("wrote past the page")
				case v.corrupt && !errors.Is(err, ErrCorrupt):
					t.Errorf("%v, want ErrCorrupt", err)
				case !v.corrupt && (err != nil || !bytes.Equal(got, v.page)):
					t.Errorf("%v, page % x, want % x", err, got, v.page)
				}
				v.stream = append(bytes.Repeat([]byte{guard}, 100), v.stream...)[100:]
			}
			if !v.encode {
				return
			}
			dst := make([]byte, DstSize(len(v.page)))
			if n, err := s.Compress(dst, v.page); err != nil || !bytes.Equal(dst[:n], v.stream) {
				t.Errorf("encoder gives % x, %v, want % x", dst[:n], err, v.stream)
			}
		})
	}
}

// A corrupt stream is so for a page of any length.
func checkCorruptAtEveryLength(t *testing.T, file string, s Stream) {
	for _, v := range readVectors(t, file) {
		if !v.corrupt {
			continue
		}
		for n := range 300 {
			if err := s.Decompress(make([]byte, n), v.stream); !errors.Is(err, ErrCorrupt) {
				t.Errorf("%s: %v for a page of %d bytes, want ErrCorrupt", v.name, err, n)
			}
		}
	}
}
