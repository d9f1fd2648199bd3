package compress

import (
	"bytes"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// total compresses mixed pages and returns the sum of sizes.
func total(t *testing.T, v variant) int {
	t.Helper()
	s := v.open(t)
	dst := make([]byte, DstSize(PageSize))
	sum := 0
	for seed := range uint64(64) {
		n, err := s.Compress(dst, mixedPage(seed))
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

// TestZstd_Levels finds every range of levels at work: each compresses better
// than the one below.
func TestZstd_Levels(t *testing.T) {
	last := 0
	for i := len(zstdSpeeds) - 1; i >= 0; i-- {
		top := zstdSpeeds[i].top
		n := total(t, level("zstd", top))
		if n <= last {
			t.Errorf("level %d gives %d bytes, no more than the range above, %d", top, n, last)
		}
		last = n
	}
	if a, b, c := total(t, variant{codec: "zstd"}), total(t, level("zstd", 0)), total(t, level("zstd", 3)); a != b || b != c {
		t.Errorf("no level, level 0 and level 3 give %d, %d and %d bytes, want the same", a, b, c)
	}
}

// TestZstd_Frame reads the header: one segment, the page's size, no checksum.
func TestZstd_Frame(t *testing.T) {
	s := variant{codec: "zstd"}.open(t)
	dst := make([]byte, DstSize(maxPage))
	for _, n := range []int{100, PageSize, maxPage} {
		m, err := s.Compress(dst, makePage(kindText, n, 17))
		if err != nil {
			t.Fatal(err)
		}
		var h zstd.Header
		if err := h.Decode(dst[:m]); err != nil {
			t.Fatal(err)
		}
		if !h.SingleSegment || h.HasCheckSum || !h.HasFCS || h.FrameContentSize != uint64(n) || h.DictionaryID != 0 {
			t.Errorf("page of %d bytes has the frame header %+v", n, h)
		}
	}
}

// TestZstd_TrainedDictionary uses one with entropy tables, where a raw one would
// be taken for text.
func TestZstd_TrainedDictionary(t *testing.T) {
	var samples [][]byte
	for seed := range uint64(32) {
		samples = append(samples, makePage(kindText, PageSize, seed))
	}
	dict, err := zstd.BuildDict(zstd.BuildDictOptions{
		ID: 7, Contents: samples, History: makePage(kindText, 8<<10, 100), Offsets: [3]int{1, 4, 8},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(dict, zstdDictMagic) {
		t.Fatalf("dictionary begins with %x", dict[:4])
	}
	s := variant{"zstd", Params{Dict: dict}}.open(t)
	plain := variant{codec: "zstd"}.open(t)
	dst := make([]byte, DstSize(PageSize))
	for k, kind := range pageKinds {
		if err := roundTrip(s, makePage(k, PageSize, 18)); err != nil {
			t.Errorf("%s: %v", kind.name, err)
		}
	}
	page := makePage(kindText, PageSize, 19)
	with, err := s.Compress(dst, page)
	if err != nil {
		t.Fatal(err)
	}
	without, err := plain.Compress(dst, page)
	if err != nil {
		t.Fatal(err)
	}
	if with >= without {
		t.Errorf("%d bytes with the dictionary, %d without", with, without)
	}
}
