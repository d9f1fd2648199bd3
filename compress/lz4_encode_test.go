package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// TestLZ4Encoder_EveryLength writes pages of every length up to one page, and
// lengths spread up to the largest, and lets the library's decoder judge.
func TestLZ4Encoder_EveryLength(t *testing.T) {
	var lengths []int
	for n := 0; n <= PageSize; n++ {
		lengths = append(lengths, n)
	}
	for n := PageSize; n <= maxPage; n += 1021 {
		lengths = append(lengths, n)
	}
	var z lz4Encoder
	back := make([]byte, maxPage)
	for k, kind := range pageKinds {
		whole := makePage(k, maxPage, 10)
		for _, n := range append(lengths, maxPage-1, maxPage) {
			page := whole[maxPage-n:] // another beginning and the same end each time
			dst, intact := guarded(DstSize(n))
			z.table = pageTable{}
			size := z.encode(dst, page, 0, 1)
			got, err := lz4.UncompressBlock(dst[:size], back)
			if err != nil || !bytes.Equal(back[:got], page) {
				t.Fatalf("%s of %d bytes: %d came back, %v", kind.name, n, got, err)
			}
			if !intact() {
				t.Fatalf("%s of %d bytes: wrote past dst", kind.name, n)
			}
			checkLZ4Block(t, dst[:size], n)
		}
	}
}

// checkLZ4Block reads a block of n bytes by the format's rules for its end,
// which lenient decoders do not enforce.
func checkLZ4Block(t *testing.T, src []byte, n int) {
	t.Helper()
	length := func(nibble byte) int {
		v := int(nibble)
		for more := nibble == lz4Nibble; more; src = src[1:] {
			v += int(src[0])
			more = src[0] == lz4Byte
		}
		return v
	}
	for pos := 0; ; {
		token := src[0]
		src = src[1:]
		lit := length(token >> 4)
		src, pos = src[lit:], pos+lit
		if len(src) == 0 {
			if pos != n {
				t.Fatalf("block of %d bytes holds %d", n, pos)
			}
			if n > lz4LastBytes && lit < lz4LastBytes {
				t.Fatalf("block of %d bytes ends with %d literals, want %d", n, lit, lz4LastBytes)
			}
			return
		}
		off := int(src[0]) | int(src[1])<<8
		if off == 0 || off > pos {
			t.Fatalf("distance %d at %d", off, pos)
		}
		if n-pos < 12 {
			t.Fatalf("match starts %d bytes before the end, want 12", n-pos)
		}
		src = src[2:]
		pos += length(token&lz4Nibble) + lz4MinMatch
	}
}

// TestLZ4Encoder_NotWorseThanLibrary compares sizes on pages that hold matches.
func TestLZ4Encoder_NotWorseThanLibrary(t *testing.T) {
	var z lz4Encoder
	var c lz4.CompressorCCompat
	dst := make([]byte, DstSize(PageSize))
	own, library := 0, 0
	for seed := range uint64(64) {
		page := mixedPage(seed)
		z.table = pageTable{}
		own += z.encode(dst, page, 0, 1)
		n, err := c.CompressBlock(page, dst)
		if err != nil {
			t.Fatal(err)
		}
		library += n
	}
	t.Logf("own %d bytes, library %d", own, library)
	if own > library {
		t.Errorf("own encoder needs %d bytes where the library needs %d", own, library)
	}
}

// mixedPage has runs of every kind.
func mixedPage(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 11))
	page := make([]byte, 0, PageSize)
	for len(page) < PageSize {
		n := min(64+r.IntN(512), PageSize-len(page))
		page = append(page, makePage(r.IntN(len(pageKinds)), n, r.Uint64())...)
	}
	return page
}

// TestLZ4Encoder_Acceleration finds a higher level no smaller on the whole.
func TestLZ4Encoder_Acceleration(t *testing.T) {
	var z lz4Encoder
	dst := make([]byte, DstSize(PageSize))
	last := 0
	for _, accel := range []int{1, 4, 32, 1 << 30} {
		total := 0
		for seed := range uint64(64) {
			z.table = pageTable{}
			total += z.encode(dst, mixedPage(seed), 0, accel)
		}
		if total <= last {
			t.Errorf("acceleration %d gives %d bytes, no more than the one before, %d", accel, total, last)
		}
		last = total
	}
}

// TestLZ4_DictionaryHelps finds matches in the dictionary.
func TestLZ4_DictionaryHelps(t *testing.T) {
	page := makePage(kindRandom, PageSize, 12)
	dict := append(makePage(kindRandom, 1000, 13), page...)
	for _, name := range []string{"lz4", "lz4hc", "zstd"} {
		s := variant{name, Params{Dict: dict}}.open(t)
		n, err := s.Compress(make([]byte, DstSize(PageSize)), page)
		if err != nil {
			t.Fatal(err)
		}
		if n > PageSize/8 {
			t.Errorf("%s: a page that is in the dictionary takes %d bytes", name, n)
		}
	}
}
