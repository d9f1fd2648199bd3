//go:build clib

package compress

import (
	"bytes"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"

	"uzram/internal/clib"
)

// interchanged are the settings of which streams are exchanged with C, both
// ways: every level and window, and dictionaries.
func interchanged(t *testing.T) []variant {
	all := []variant{{codec: "lzo"}, {codec: "lzo-rle"}}
	for _, l := range []int32{1, 2, 7, 100, 65537, 1<<31 - 1} {
		all = append(all, level("lz4", l))
	}
	for l := int32(1); l <= 16; l++ {
		all = append(all, level("lz4hc", l))
	}
	for _, l := range []int32{-131072, -1000, -50} {
		all = append(all, level("zstd", l))
	}
	for l := int32(-7); l <= 22; l++ {
		all = append(all, level("zstd", l))
	}
	for _, w := range []int32{-15, -14, -13, -12, -11, -10, -9, 9, 10, 11, 12, 13, 14, 15} {
		for _, l := range []int32{-1, 0, 1, 2, 3, 4, 5, 7, 8, 9} {
			all = append(all, winBits(l, w))
		}
	}
	for _, n := range []int{8, 500, 8 << 10, maxDict} {
		dict := makePage(kindText, n, 40)
		for _, v := range []variant{level("lz4", 1), level("lz4hc", 9)} {
			v.params.Dict = dict
			all = append(all, v)
		}
		all = append(all, zstdWithDict(dict)...)
	}
	for _, n := range []int{1 << 10, 16 << 10, maxDict} {
		all = append(all, zstdWithDict(trainedByC(t, n))...)
	}
	return all
}

// zstdWithDict has a level of each kind of search.
func zstdWithDict(dict []byte) (all []variant) {
	for _, l := range []int32{-5, 1, 3, 5, 7, 9, 13, 19, 22} {
		v := level("zstd", l)
		v.params.Dict = dict
		all = append(all, v)
	}
	return all
}

// trainedByC returns a dictionary of at most n bytes, with entropy tables.
func trainedByC(t *testing.T, n int) []byte {
	var samples []byte
	for seed := range uint64(100) {
		for k := range pageKinds {
			if k != kindRandom {
				samples = append(samples, makePage(k, PageSize, seed)...)
			}
		}
	}
	dict, err := clib.TrainZstd(n, samples, PageSize)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(dict, zstdDictMagic) {
		t.Fatalf("C's dictionary begins with % x", dict[:4])
	}
	return dict
}

// exchange is one setting on both sides.
type exchange struct {
	variant
	own      Stream
	c        *clib.Codec
	dst      []byte
	bytewise bool // have zlib look at its window as well
}

// TestInterchange has C read what we write, and us what C writes: pages of every
// kind and, by the default settings, of many lengths. liblzo2 reads no lzo-rle.
func TestInterchange(t *testing.T) {
	defaults := []string{
		"lzo", "lzo-rle", "lz4/level=1", "lz4hc/level=9", "zstd/level=3",
		"deflate/level=-1/winbits=-11", "deflate/level=-1/winbits=15",
	}
	for _, v := range interchanged(t) {
		t.Run(v.String(), func(t *testing.T) {
			e := &exchange{variant: v, own: v.open(t), c: v.peer(t), dst: make([]byte, clib.Bound(maxPage))}
			if slices.Contains(defaults, v.String()) {
				e.all(t)
			}
			e.some(t)
		})
	}
}

// all goes through all lengths that are short, and ever fewer of the longer ones.
func (e *exchange) all(t *testing.T) {
	for k, kind := range pageKinds {
		whole := makePage(k, maxPage, 30)
		for n := 0; n <= maxPage; n += 1 + n/64 {
			e.page(t, kind.name, whole[maxPage-n:])
		}
	}
}

// some takes lengths by chance, other ones for each setting, and the sizes of
// blocks.
func (e *exchange) some(t *testing.T) {
	h := fnv.New64()
	h.Write([]byte(e.String()))
	r := rand.New(rand.NewPCG(h.Sum64(), 0))
	for k, kind := range pageKinds {
		lengths := []int{PageSize, PageSize << (1 + (k+r.IntN(4))%4)}
		for _, below := range []int{16, 128, 128, PageSize, PageSize, maxPage} {
			lengths = append(lengths, r.IntN(below))
		}
		for i, n := range lengths {
			e.bytewise = i%2 == 1
			e.page(t, kind.name, makePage(k, n, r.Uint64()))
		}
	}
	for _, n := range []int{PageSize, maxPage} {
		e.page(t, "skewed", skewedPage(n, r))
	}
}

// skewedPage has all byte values, low ones more often: codes for all of them
// cost less than none.
func skewedPage(n int, r *rand.Rand) []byte {
	p := make([]byte, n)
	for i := range p {
		if u := r.Uint32(); u>>31 != 0 {
			p[i] = byte(u)
		} else {
			p[i] = byte(u) >> 4
		}
	}
	return p
}

// page sends one page each way.
func (e *exchange) page(t *testing.T, kind string, page []byte) {
	if e.codec != "lzo-rle" {
		e.send(t, kind, page, e.own.Compress, e.readByC, "from us to C")
	}
	e.send(t, kind, page, e.c.Compress, e.own.Decompress, "from C to us")
}

func (e *exchange) send(t *testing.T, kind string, page []byte, write func(dst, page []byte) (int, error),
	read func(page, src []byte) error, way string) {
	size, err := write(e.dst, page)
	if err != nil {
		t.Fatalf("%s of %d bytes, %s: %v", kind, len(page), way, err)
	}
	back := make([]byte, len(page))
	if err := read(back, e.dst[:size]); err != nil || !bytes.Equal(back, page) {
		t.Fatalf("%s of %d bytes, %s in %d bytes: %v, equal: %t", kind, len(page), way, size, err, bytes.Equal(back, page))
	}
}

// readByC fills page from src. Of a zlib stream the window is once that of the
// setting, which may not be less than the header says, and once the header's.
func (e *exchange) readByC(page, src []byte) error {
	if e.codec == "deflate" && e.bytewise {
		return clib.InflateBytewise(int(min(e.params.WinBits, 0)), page, src)
	}
	return e.c.Decompress(page, src)
}
