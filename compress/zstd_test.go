package compress

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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

// TestZstd_Levels finds every search at work: each compresses better than the
// one below.
func TestZstd_Levels(t *testing.T) {
	last := 0
	for _, l := range []int32{22, 12, 4, 1, -1, -10, -100, -131072} {
		n := total(t, level("zstd", l))
		if n <= last {
			t.Errorf("level %d gives %d bytes, no more than the level before, %d", l, n, last)
		}
		last = n
	}
	if a, b, c := total(t, variant{codec: "zstd"}), total(t, level("zstd", 0)), total(t, level("zstd", 3)); a != b || b != c {
		t.Errorf("no level, level 0 and level 3 give %d, %d and %d bytes, want the same", a, b, c)
	}
}

// TestZstd_LevelTable opens what each level means.
func TestZstd_LevelTable(t *testing.T) {
	top := int32(-131073)
	for _, l := range zstdLevels {
		if l.top <= top {
			t.Errorf("level %d comes behind %d", l.top, top)
		}
		top = l.top
	}
	if want := zstdRule.levels[0].max; top != want {
		t.Errorf("the highest level is %d, want %d", top, want)
	}
}

// TestZstd_Frame reads the header: one segment, the page's size, no checksum.
func TestZstd_Frame(t *testing.T) {
	s := variant{codec: "zstd"}.open(t)
	dst := make([]byte, DstSize(maxPage))
	for _, n := range []int{0, 1, 100, 255, 256, 257, PageSize, maxPage} {
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

// TestZstd_Blocks: a page that does not shrink is one block as it is, one of a
// single byte takes one byte.
func TestZstd_Blocks(t *testing.T) {
	random := makePage(kindRandom, PageSize, 1)
	for _, tc := range []struct {
		name       string
		page       []byte
		kind, size int
	}{
		{"random", random, blockRaw, PageSize},
		{"short", random[:5], blockRaw, 5},
		{"empty", nil, blockRaw, 0},
		{"one byte", bytes.Repeat([]byte{7}, PageSize), blockRLE, 1},
		{"text", makePage(kindText, PageSize, 1), blockCompressed, -1},
	} {
		s := variant{codec: "zstd"}.open(t)
		dst := make([]byte, DstSize(PageSize))
		n, err := s.Compress(dst, tc.page)
		if err != nil {
			t.Fatal(err)
		}
		o := 7
		if len(tc.page) < 256 {
			o = 6
		}
		if kind := int(dst[o] >> 1 & 3); kind != tc.kind || dst[o]&1 == 0 {
			t.Errorf("%s: block header %x, want the last block, of kind %d", tc.name, dst[o:o+3], tc.kind)
		}
		if size := n - o - 3; tc.size >= 0 && size != tc.size {
			t.Errorf("%s: block of %d bytes, want %d", tc.name, size, tc.size)
		}
	}
}

// zstdJudge is a decoder that is not ours.
func zstdJudge(t testing.TB, dict []byte) *zstd.Decoder {
	t.Helper()
	d, err := zstd.NewReader(nil, zstdDecoderOptions(dict)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// zstdDecoderOptions are those that suit single pages.
func zstdDecoderOptions(dict []byte) []zstd.DOption {
	opts := []zstd.DOption{
		zstd.WithDecoderConcurrency(1),
		zstd.IgnoreChecksum(true),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxMemory(maxPage + maxDict),
	}
	switch {
	case dict == nil:
		return opts
	case bytes.HasPrefix(dict, zstdDictMagic):
		return append(opts, zstd.WithDecoderDicts(dict))
	default:
		return append(opts, zstd.WithDecoderDictRaw(0, dict))
	}
}

// zstdTestLevels has one of each row of the table.
func zstdTestLevels() (all []int32) {
	all = []int32{-131072, -100, -7, -1}
	for _, l := range zstdLevels {
		all = append(all, l.top)
	}
	return all
}

// TestZstd_Judge has another decoder read pages of every kind and length, at
// every level.
func TestZstd_Judge(t *testing.T) {
	dicts := map[string][]byte{"none": nil, "raw": makePage(kindText, 3000, 4), "long": makePage(kindText, maxDict, 4), "trained": trainedDict()}
	for name, dict := range dicts {
		judge := zstdJudge(t, dict)
		for _, l := range zstdTestLevels() {
			t.Run(fmt.Sprintf("dict=%s/level=%d", name, l), func(t *testing.T) {
				v := level("zstd", l)
				v.params.Dict = dict
				s := v.open(t)
				dst := make([]byte, DstSize(maxPage))
				for k, kind := range pageKinds {
					for _, n := range append(pageSizes, 7, 8, 9, 10, 11, 14, 15, 18, 33) {
						if n > PageSize && (k%3 != 1 || l > 4 && n != maxPage) {
							continue // the slow ones need not do all
						}
						page := makePage(k, n, 1)
						m, err := s.Compress(dst, page)
						if err != nil {
							t.Fatal(err)
						}
						frame := dst[:m]
						if name == "trained" {
							frame = withDictionaryID(frame, 7)
						}
						got, err := judge.DecodeAll(frame, make([]byte, 0, n))
						if err != nil || !bytes.Equal(got, page) {
							t.Fatalf("%s of %d bytes: the judge has %v, or another page", kind.name, n, err)
						}
					}
				}
			})
		}
	}
}

// withDictionaryID returns a frame with what the judge chooses a dictionary by.
func withDictionaryID(frame []byte, id byte) []byte {
	out := append(bytes.Clone(frame[:5]), id)
	out[4] |= 1
	return append(out, frame[5:]...)
}

// TestZstd_TrainedDictionary: it helps where it fits.
func TestZstd_TrainedDictionary(t *testing.T) {
	dict := trainedDict()
	dst := make([]byte, DstSize(PageSize))
	page := makePage(kindText, PageSize, 19)
	for _, l := range zstdTestLevels() {
		if l < -100 {
			continue // hardly looks at the page
		}
		v := level("zstd", l)
		plain := v.open(t)
		v.params.Dict = dict
		with, err := v.open(t).Compress(dst, page)
		if err != nil {
			t.Fatal(err)
		}
		without, err := plain.Compress(dst, page)
		if err != nil {
			t.Fatal(err)
		}
		if with >= without {
			t.Errorf("level %d: %d bytes with the dictionary, %d without", l, with, without)
		}
	}
}

// TestZstdRepeats_Value holds the coding of distances against the decoding that
// RFC 8878 describes in 3.1.1.5.
func TestZstdRepeats_Value(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	own, want := zstdRepeats{1, 4, 8}, zstdRepeats{1, 4, 8}
	seen := map[string]int{}
	for range 100_000 {
		off, lit := 1+r.IntN(6), r.IntN(2)
		v := own.value(off, lit)
		if got := want.decode(v, lit); got != off {
			t.Fatalf("distance %d after %d literals is %d to a decoder, which has the distances %v now", off, lit, got, want)
		}
		if own != want {
			t.Fatalf("the last distances are %v to a decoder, not %v", want, own)
		}
		seen[fmt.Sprint(min(v, 4), lit)]++
	}
	if len(seen) != 8 {
		t.Errorf("only these values were seen, each with and without literals: %v", seen)
	}
}

// TestZstdOffset holds the fast coding of distances against the thorough one,
// which alone knows the first distance less 1.
func TestZstdOffset(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	want := zstdRepeats{1, 4, 8}
	for range 100_000 {
		off, lit := 1+r.IntN(6), r.IntN(2)
		if lit == 0 && (off == want[0] || off == want[0]-1) {
			continue
		}
		before := want
		v, second, third := zstdOffset(off, lit, before[0], before[1], before[2])
		if got := (zstdRepeats{off, second, third}); v != want.value(off, lit) || got != want {
			t.Fatalf("distance %d after %d literals and the distances %v gives %d and %v, want %v", off, lit, before, v, got, want)
		}
	}
}

// decode returns the distance that v stands for.
func (r *zstdRepeats) decode(v uint32, lit int) int {
	if v > 3 {
		*r = zstdRepeats{int(v) - 3, r[0], r[1]}
		return r[0]
	}
	k := int(v)
	if lit == 0 {
		k++
	}
	switch k {
	case 2:
		*r = zstdRepeats{r[1], r[0], r[2]}
	case 3:
		*r = zstdRepeats{r[2], r[0], r[1]}
	case 4:
		*r = zstdRepeats{r[0] - 1, r[0], r[1]}
	}
	return r[0]
}

// TestZstdFinder_Replay rebuilds pages from what finders say.
func TestZstdFinder_Replay(t *testing.T) {
	for _, l := range zstdTestLevels() {
		for _, start := range []int{0, 1, 5, 1000} {
			f, least := newZstdFinder(l)
			for k, kind := range pageKinds {
				for _, n := range []int{0, 1, 5, 8, 9, 10, 16, 17, 20, 100, PageSize} {
					src := append(makePage(kindText, start, 1), makePage(k, n, 2)...)
					p := &zstdParse{src: append(src, make([]byte, zstdSlack)...), start: start, end: start + n, repeats: zstdRepeats{1, 4, 8}}
					p.grow(n, least)
					if start > 0 {
						f.learn(p)
					}
					f.find(p)
					if err := replay(p); err != nil {
						t.Fatalf("level %d, %s of %d bytes behind %d: %v", l, kind.name, n, start, err)
					}
				}
			}
		}
	}
}

// replay says whether p is what its page is made of.
func replay(p *zstdParse) error {
	out := bytes.Clone(p.src[:p.start])
	literals, repeats := p.literals[:p.lits], zstdRepeats{1, 4, 8}
	for k, s := range p.seqs[:p.n] {
		out = append(out, literals[:s.lit]...)
		literals = literals[s.lit:]
		off := repeats.decode(s.off, int(s.lit))
		if off < 1 || off > len(out) {
			return fmt.Errorf("sequence %d has distance %d at %d", k, off, len(out))
		}
		for range int(s.match) + zstdMinMatch {
			out = append(out, out[len(out)-off])
		}
	}
	if out = append(out, literals...); !bytes.Equal(out, p.src[:p.end]) {
		return fmt.Errorf("another page, of %d bytes", len(out)-p.start)
	}
	return nil
}
