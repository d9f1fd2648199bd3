package compress

import (
	"bytes"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// TestLZ4HC_Format lets the library's decoder and the format's rules judge
// blocks of many lengths.
func TestLZ4HC_Format(t *testing.T) {
	s := variant{codec: "lz4hc"}.open(t)
	dst, back := make([]byte, DstSize(maxPage)), make([]byte, maxPage)
	for k, kind := range pageKinds {
		whole := makePage(k, PageSize, 20)
		for n := 0; n <= PageSize; n += 1 + n/16 {
			page := whole[PageSize-n:]
			size, err := s.Compress(dst, page)
			if err != nil {
				t.Fatal(err)
			}
			got, err := lz4.UncompressBlock(dst[:size], back)
			if err != nil || !bytes.Equal(back[:got], page) {
				t.Fatalf("%s of %d bytes: %d came back, %v", kind.name, n, got, err)
			}
			checkLZ4Block(t, dst[:size], n)
		}
	}
}

// TestLZ4HC_Levels compares sizes: level 1 makes smaller pages than lz4, levels
// well above smaller ones yet, and the default smaller ones than the library's
// best.
func TestLZ4HC_Levels(t *testing.T) {
	dst := make([]byte, DstSize(PageSize))
	sum := func(compress func(dst, page []byte) (int, error)) int {
		t.Helper()
		sum := 0
		for k := range pageKinds {
			for seed := range uint64(8) {
				n, err := compress(dst, makePage(k, PageSize, seed))
				if err != nil {
					t.Fatal(err)
				}
				sum += n
			}
		}
		return sum
	}
	last := sum(variant{codec: "lz4"}.open(t).Compress)
	for _, l := range []int32{1, 4, 9, 16} {
		n := sum(level("lz4hc", l).open(t).Compress)
		if n >= last {
			t.Errorf("level %d gives %d bytes, no less than %d before", l, n, last)
		}
		last = n
	}
	var c lz4.CompressorHC
	library := sum(func(dst, page []byte) (int, error) { return c.CompressBlock(page, dst) })
	if own := sum(variant{codec: "lz4hc"}.open(t).Compress); own >= library {
		t.Errorf("level 9 gives %d bytes, the library %d", own, library)
	}
}
