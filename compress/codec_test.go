package compress

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// variant is a codec with parameters, as tests go through them.
type variant struct {
	codec  string
	params Params
}

func (v variant) String() string {
	s := v.codec
	if v.params.HasLevel {
		s += fmt.Sprintf("/level=%d", v.params.Level)
	}
	if v.params.HasWinBits {
		s += fmt.Sprintf("/winbits=%d", v.params.WinBits)
	}
	if v.params.Dict != nil {
		s += fmt.Sprintf("/dict=%d", len(v.params.Dict))
	}
	return s
}

func (v variant) open(t testing.TB) Stream {
	t.Helper()
	c, ok := Lookup(v.codec)
	if !ok {
		t.Fatalf("no codec %q", v.codec)
	}
	s, err := c.NewStream(v.params)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func level(name string, l int32) variant { return variant{name, Params{Level: l, HasLevel: true}} }

func winBits(l, w int32) variant {
	return variant{"deflate", Params{Level: l, HasLevel: true, WinBits: w, HasWinBits: true}}
}

// variants has every codec by itself and every path that parameters choose.
func variants() []variant {
	all := []variant{
		level("lz4", 7), level("lz4", 1<<31-1), level("lz4hc", 1), level("lz4hc", 16),
		level("zstd", -131072), level("zstd", 0), level("zstd", 1), level("zstd", 7), level("zstd", 22),
		winBits(-1, 9), winBits(6, -9), winBits(0, -11), winBits(1, -12), winBits(9, 12), winBits(6, 15), winBits(8, -15),
	}
	for _, name := range Names() {
		all = append(all, variant{codec: name})
		for _, n := range []int{1, 8192, maxDict} {
			v := variant{name, Params{Dict: makePage(kindText, n, 3)}}
			if c, _ := Lookup(name); c.Check(v.params) == nil {
				all = append(all, v)
			}
		}
	}
	return all
}

var pageSizes = []int{0, 1, 3, 12, 13, 16, 17, 19, 20, 64, 255, 1000, 4095, PageSize, 8 << 10, 16 << 10, 32 << 10, maxPage}

// TestStream_RoundTrip writes every kind and size of page with every variant and
// reads it back, into a page that is guarded on both sides.
func TestStream_RoundTrip(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			for k, kind := range pageKinds {
				for _, n := range pageSizes {
					if n > PageSize && k%2 == 1 {
						continue // half of the kinds is enough of the slow ones
					}
					if err := roundTrip(s, makePage(k, n, 1)); err != nil {
						t.Fatalf("%s of %d bytes: %v", kind.name, n, err)
					}
				}
			}
		})
	}
}

const guard = 0xa5

// guarded returns a slice of n bytes with guards before and behind it, within
// the capacity, and a function that says whether they still stand.
func guarded(n int) (p []byte, intact func() bool) {
	const margin = 64
	buf := bytes.Repeat([]byte{guard}, n+2*margin)
	want := bytes.Repeat([]byte{guard}, margin)
	return buf[margin : margin+n], func() bool {
		return bytes.Equal(buf[:margin], want) && bytes.Equal(buf[margin+n:], want)
	}
}

func roundTrip(s Stream, page []byte) error {
	before := bytes.Clone(page)
	dst, dstIntact := guarded(DstSize(len(page)))
	n, err := s.Compress(dst, page)
	if err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if !bytes.Equal(page, before) {
		return errors.New("compress changed the page")
	}
	got, gotIntact := guarded(len(page))
	if err := s.Decompress(got, dst[:n]); err != nil {
		return fmt.Errorf("decompress of %d bytes: %w", n, err)
	}
	switch {
	case !dstIntact():
		return errors.New("compress wrote past dst")
	case !gotIntact():
		return errors.New("decompress wrote past the page")
	case !bytes.Equal(got, page):
		return errors.New("another page came back")
	}
	return nil
}

// TestStream_SmallDestination holds Compress to its word for every length of
// dst around the compressed size: the same bytes, or ErrIncompressible.
func TestStream_SmallDestination(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			for k, kind := range pageKinds {
				page := makePage(k, PageSize, 2)
				want := make([]byte, DstSize(PageSize))
				size, err := s.Compress(want, page)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range []int{0, 1, size / 2, size - 1, size, size + 1, PageSize} {
					dst, intact := guarded(max(n, 0))
					got, err := s.Compress(dst, page)
					if !intact() {
						t.Fatalf("%s: wrote past a dst of %d bytes", kind.name, n)
					}
					if fits := n >= size; fits != (err == nil) || !fits && !errors.Is(err, ErrIncompressible) {
						t.Fatalf("%s of %d bytes into %d: %v", kind.name, size, n, err)
					} else if fits && !bytes.Equal(dst[:got], want[:size]) {
						t.Fatalf("%s: other bytes in a dst of %d", kind.name, n)
					}
				}
			}
		})
	}
}

// TestStream_Deterministic compares a stream that has seen much with a new one.
func TestStream_Deterministic(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			used := v.open(t)
			dst := make([]byte, DstSize(maxPage))
			for k := range pageKinds {
				for _, n := range []int{PageSize, 16 << 10, 1000} {
					if _, err := used.Compress(dst, makePage(k, n, 1)); err != nil {
						t.Fatal(err)
					}
				}
			}
			fresh := v.open(t)
			other := make([]byte, DstSize(maxPage))
			for k, kind := range pageKinds {
				page := makePage(k, PageSize, 9)
				n, err := used.Compress(dst, page)
				if err != nil {
					t.Fatal(err)
				}
				m, err := fresh.Compress(other, page)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(dst[:n], other[:m]) {
					t.Fatalf("%s: the output depends on pages before (%d and %d bytes)", kind.name, n, m)
				}
			}
		})
	}
}

// TestStream_RejectsCorrupt feeds what cannot be the page: cut, prolonged, for
// another length, empty.
func TestStream_RejectsCorrupt(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			page := makePage(kindText, PageSize, 4)
			dst := make([]byte, DstSize(PageSize))
			n, err := s.Compress(dst, page)
			if err != nil {
				t.Fatal(err)
			}
			good := dst[:n]
			bad := map[string][]byte{
				"empty": {}, "nil": nil, "one byte": good[:1], "cut": good[:n-1], "half": good[:n/2],
				"prolonged": append(slices.Clone(good), 0), "zeros": make([]byte, n),
			}
			for name, src := range bad {
				p, intact := guarded(PageSize)
				if err := s.Decompress(p, src); !errors.Is(err, ErrCorrupt) {
					t.Errorf("%s: %v, want ErrCorrupt", name, err)
				}
				if !intact() {
					t.Errorf("%s: wrote past the page", name)
				}
			}
			for _, size := range []int{0, 1, PageSize - 1, PageSize + 1, 2 * PageSize} {
				p, intact := guarded(size)
				if err := s.Decompress(p, good); !errors.Is(err, ErrCorrupt) {
					t.Errorf("into %d bytes: %v, want ErrCorrupt", size, err)
				}
				if !intact() {
					t.Errorf("wrote past a page of %d bytes", size)
				}
			}
			if err := s.Decompress(make([]byte, PageSize), good); err != nil {
				t.Errorf("the stream is spoilt: %v", err)
			}
		})
	}
}

func TestStream_RefusesLargePage(t *testing.T) {
	for _, name := range Names() {
		s := variant{codec: name}.open(t)
		if _, err := s.Compress(make([]byte, DstSize(maxPage+1)), make([]byte, maxPage+1)); !errors.Is(err, errPageSize) {
			t.Errorf("%s: %v, want %v", name, err, errPageSize)
		}
	}
}

func TestNames(t *testing.T) {
	if want := []string{"lzo-rle", "lzo", "lz4", "lz4hc", "zstd", "deflate", "842"}; !slices.Equal(Names(), want) {
		t.Errorf("Names() = %q, want the kernel's order %q", Names(), want)
	}
	for _, name := range append(Names(), DefaultName) {
		if c, ok := Lookup(name); !ok || c.Name() != name {
			t.Errorf("Lookup(%q) = %v, %v", name, c, ok)
		}
	}
	for _, name := range []string{"", "LZ4", "lz4 ", "lzma"} {
		if _, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q) found something", name)
		}
	}
}
