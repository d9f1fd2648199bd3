package compress

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/klauspost/compress/zstd"
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
	if bytes.HasPrefix(v.params.Dict, zstdDictMagic) {
		s += "/trained"
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
		level("zstd", -131072), level("zstd", -3), level("zstd", 0), level("zstd", 1), level("zstd", 5), level("zstd", 7),
		level("zstd", 9), level("zstd", 13), level("zstd", 19), level("zstd", 22),
		{"zstd", Params{Level: 6, HasLevel: true, Dict: makePage(kindText, 8192, 3)}},
		{"zstd", Params{Dict: trainedDict()}}, {"zstd", Params{Level: 19, HasLevel: true, Dict: trainedDict()}},
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

// trainedDict returns a dictionary for zstd with entropy tables.
var trainedDict = sync.OnceValue(func() []byte {
	var samples [][]byte
	for seed := range uint64(32) {
		samples = append(samples, makePage(kindText, PageSize, seed))
	}
	dict, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: 7, Contents: samples, History: makePage(kindText, 8<<10, 100), Offsets: [3]int{1, 4, 8},
	})
	if err != nil {
		panic(err)
	}
	return dict
})

var pageSizes = []int{0, 1, 3, 12, 13, 16, 17, 19, 20, 64, 255, 1000, 4095, PageSize, 8 << 10, 16 << 10, 32 << 10, maxPage}

// TestStream_RoundTrip writes every kind and size of page with every variant and
// reads it back, into a page that is guarded on both sides.
func TestStream_RoundTrip(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			for k, kind := range pageKinds {
				for _, n := range pageSizes {
					if n > PageSize && (k%2 == 1 || underRace && k != kindText) {
						continue // some are enough of those that take long
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

// TestStream_SmallDestination holds Compress to its word for destinations of
// every length: the same bytes, or ErrIncompressible, and nothing past the end.
func TestStream_SmallDestination(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			for k, kind := range pageKinds {
				for _, n := range []int{150, PageSize} {
					if underRace && n == PageSize && k != kindText {
						continue
					}
					page := makePage(k, n, 2)
					want := make([]byte, DstSize(n))
					size, err := s.Compress(want, page)
					if err != nil {
						t.Fatal(err)
					}
					for _, room := range rooms(v, n, size) {
						if err := compressInto(s, room, page, want[:size]); err != nil {
							t.Fatalf("%s of %d bytes: %v", kind.name, n, err)
						}
					}
				}
			}
		})
	}
}

// rooms are lengths of dst for a page of n bytes and its compressed size: all of
// them for a small page, those that matter for another one.
func rooms(v variant, n, size int) (all []int) {
	if n < 1000 {
		for room := 0; room <= DstSize(n)+1; room += lengthStep(v) {
			all = append(all, room)
		}
	}
	for _, around := range []int{0, size / 2, size, n, DstSize(n)} {
		for room := max(0, around-1); room <= around+1; room++ {
			all = append(all, room)
		}
	}
	return all
}

// compressInto compresses page, of which want becomes, into a dst of that length.
func compressInto(s Stream, room int, page, want []byte) error {
	dst, intact := guarded(room)
	n, err := s.Compress(dst, page)
	if !intact() {
		return fmt.Errorf("wrote past a dst of %d bytes", room)
	}
	if fits := room >= len(want); fits != (err == nil) || !fits && !errors.Is(err, ErrIncompressible) {
		return fmt.Errorf("%d bytes into %d: %w", len(want), room, err)
	} else if fits && !bytes.Equal(dst[:n], want) {
		return fmt.Errorf("other bytes in a dst of %d", room)
	}
	return nil
}

// TestStream_Deterministic has two streams write the same pages, each in an order
// of its own and with other things done in between.
func TestStream_Deterministic(t *testing.T) {
	var pages [][]byte
	for k := range pageKinds {
		for _, n := range []int{17, 1000, PageSize, PageSize, PageSize, 16 << 10} {
			if underRace && n > 1000 && len(pages) > 20 {
				continue
			}
			pages = append(pages, makePage(k, n, uint64(len(pages))))
		}
		if k%4 == 0 && !underRace {
			pages = append(pages, makePage(k, maxPage, 9))
		}
	}
	pages = append(pages, nil)
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(44, 0))
			dst := make([]byte, DstSize(maxPage))
			packed := make([][]byte, len(pages))
			for round := range 2 {
				s := v.open(t)
				for _, i := range r.Perm(len(pages)) {
					n, err := s.Compress(dst, pages[i])
					if err != nil {
						t.Fatal(err)
					}
					if round > 0 && !bytes.Equal(dst[:n], packed[i]) {
						t.Fatalf("page %d: the output depends on pages before (%d and %d bytes)", i, n, len(packed[i]))
					}
					packed[i] = bytes.Clone(dst[:n])
					if r.IntN(2) == 0 {
						_ = s.Decompress(dst[:len(pages[i])], spoil(packed[i], r))
					} else {
						_, _ = s.Compress(dst[:r.IntN(len(packed[i])+1)], pages[i])
					}
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
