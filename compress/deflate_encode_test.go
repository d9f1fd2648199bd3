package compress

import (
	"bytes"
	stdflate "compress/flate"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/flate"
)

// deflateJudges read a raw stream, or say what is wrong with it.
var deflateJudges = map[string]func(src []byte) ([]byte, error){
	"the standard library": func(src []byte) ([]byte, error) { return io.ReadAll(stdflate.NewReader(bytes.NewReader(src))) },
	"klauspost":            func(src []byte) ([]byte, error) { return io.ReadAll(flate.NewReader(bytes.NewReader(src))) },
}

// TestDeflate_Judged has other libraries read every level with every window.
func TestDeflate_Judged(t *testing.T) {
	for level := int32(0); level <= 9; level++ {
		for bits := int32(9); bits <= 15; bits++ {
			raw, wrapped := winBits(level, -bits).open(t), winBits(level, bits).open(t)
			for k, kind := range pageKinds {
				for _, n := range []int{0, 1, 5, 300, PageSize, 24 << 10} {
					if n > PageSize && (int(level)+k)%3 != 0 {
						continue
					}
					page, dst := makePage(k, n, uint64(level)), make([]byte, DstSize(n))
					size, err := raw.Compress(dst, page)
					if err != nil {
						t.Fatal(err)
					}
					for name, read := range deflateJudges {
						if got, err := read(dst[:size]); err != nil || !bytes.Equal(got, page) {
							t.Fatalf("level %d, winbits %d, %s of %d bytes: %s says %v", level, -bits, kind.name, n, name, err)
						}
					}
					if size, err = wrapped.Compress(dst, page); err != nil {
						t.Fatal(err)
					}
					r, err := zlib.NewReader(bytes.NewReader(dst[:size]))
					if err != nil {
						t.Fatal(err)
					}
					if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, page) {
						t.Fatalf("level %d, winbits %d, %s of %d bytes: %v", level, bits, kind.name, n, err)
					}
				}
			}
		}
	}
}

// TestDeflate_Reads reads what other libraries write at every level.
func TestDeflate_Reads(t *testing.T) {
	z := new(inflater)
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		var std, other bytes.Buffer
		sw, err := stdflate.NewWriter(&std, level)
		if err != nil {
			t.Fatal(err)
		}
		ow, err := flate.NewWriter(&other, level)
		if err != nil {
			t.Fatal(err)
		}
		for k, kind := range pageKinds {
			whole := makePage(k, maxPage, 60)
			for n := 0; n <= maxPage; n += 1 + n/8 {
				std.Reset()
				other.Reset()
				for _, w := range []interface {
					io.WriteCloser
					Reset(io.Writer)
				}{sw, ow} {
					if w == io.WriteCloser(sw) {
						w.Reset(&std)
					} else {
						w.Reset(&other)
					}
					if _, err := w.Write(whole[maxPage-n:]); err != nil {
						t.Fatal(err)
					}
					if err := w.Close(); err != nil {
						t.Fatal(err)
					}
				}
				for name, b := range map[string]*bytes.Buffer{"the standard library": &std, "klauspost": &other} {
					page, intact := guarded(n)
					if err := z.inflate(page, b.Bytes()); err != nil || !bytes.Equal(page, whole[maxPage-n:]) || !intact() {
						t.Fatalf("%s of %d bytes, level %d of %s: %v", kind.name, n, level, name, err)
					}
				}
			}
		}
	}
}

// TestDeflate_EveryLength has the standard library read pages of many lengths,
// each by another level.
func TestDeflate_EveryLength(t *testing.T) {
	var encoders []*deflateEncoder
	for level := range deflateEfforts[1:] {
		encoders = append(encoders, newDeflateEncoder(level+1, 1<<(9+level%7)))
	}
	for j, n := range pageLengths(1 + lengthStep(variant{})/2) {
		k := j % len(pageKinds)
		page := makePage(k, n, 61)
		dst, intact := guarded(DstSize(n))
		size := encoders[j%len(encoders)].encode(dst, page, 0)
		if !intact() {
			t.Fatalf("%d bytes: wrote past dst", n)
		}
		if err := stdlibInflate(page, dst[:size]); err != nil || !bytes.Equal(page, makePage(k, n, 61)) {
			t.Fatalf("%s of %d bytes, level %d: %v", pageKinds[k].name, n, j%len(encoders)+1, err)
		}
	}
}

// TestDeflate_Levels compresses pages with every level: each makes less of them
// than the one before.
func TestDeflate_Levels(t *testing.T) {
	for _, bits := range []int{11, 15} {
		before := 0
		for level := range deflateEfforts {
			s := winBits(int32(level), -int32(bits)).open(t)
			total, dst := 0, make([]byte, DstSize(PageSize))
			for seed := range uint64(60) {
				for _, page := range [][]byte{makePage(kindText, PageSize, seed), wordyPage(seed)} {
					n, err := s.Compress(dst, page)
					if err != nil {
						t.Fatal(err)
					}
					total += n
				}
			}
			t.Logf("winbits %d, level %d: %d bytes", -bits, level, total)
			if level > 0 && total >= before {
				t.Errorf("winbits %d: level %d takes %d bytes, the one before %d", -bits, level, total, before)
			}
			before = total
		}
	}
}

// wordyPage mixes records and text, each with parts of the other.
func wordyPage(seed uint64) []byte {
	page, text := makePage(6, PageSize, seed), makePage(kindText, PageSize, seed)
	for i := int(seed % 7); i+40 < PageSize; i += 61 + i%53 {
		copy(page[i:i+10+i%31], text[i*7%2000:])
	}
	return page
}

// TestDeflate_Distances looks at the sequences of pages with matches at distances
// about that of the window: none is beyond, and levels that search well reach its
// very edge.
func TestDeflate_Distances(t *testing.T) {
	for level := 1; level <= 9; level++ {
		for bits := 9; bits <= 15; bits++ {
			window, greatest := 1<<bits, 0
			z := newDeflateEncoder(level, window)
			for distance := window - 2; distance <= window+2; distance++ {
				page := makePage(kindRandom, min(distance+1000, maxPage), 62)
				copy(page[distance:], page)
				z.encode(make([]byte, DstSize(len(page))), page, 0)
				for _, s := range z.parser.sequences {
					greatest = max(greatest, int(s.distance)+1)
				}
			}
			if greatest > window || greatest < window && level >= 6 {
				t.Errorf("level %d, window of %d: greatest distance %d", level, window, greatest)
			}
		}
	}
}

// TestDeflate_Blocks checks that each page takes the kind of block that suits it.
func TestDeflate_Blocks(t *testing.T) {
	for level := 1; level <= 9; level++ {
		z := newDeflateEncoder(level, 2048)
		for _, c := range []struct {
			page []byte
			kind byte
		}{
			{nil, deflateFixed},
			{[]byte("abcabcabcabcabcabc"), deflateFixed},
			{makePage(kindRandom, PageSize, 63), deflateStored},
			{makePage(kindText, PageSize, 63), deflateDynamic},
		} {
			dst := make([]byte, DstSize(len(c.page)))
			z.encode(dst, c.page, 0)
			if got := dst[0] >> 1 & 3; got != c.kind {
				t.Errorf("level %d, %d bytes: block type %d, want %d", level, len(c.page), got, c.kind)
			}
		}
	}
}

// TestDeflate_BlockRoom checks that a large page takes as many blocks as the room
// for sequences asks for, at every level, instead of more room.
func TestDeflate_BlockRoom(t *testing.T) {
	page := makePage(kindText, maxPage, 64)
	for level := 1; level <= 9; level++ {
		z := newDeflateEncoder(level, 1<<15)
		size := z.encode(make([]byte, DstSize(len(page))), page, 0)
		if got := cap(z.parser.sequences); got != deflateBlockSequences {
			t.Errorf("level %d: room for %d sequences after %d bytes, want %d", level, got, size, deflateBlockSequences)
		}
	}
}

// TestDeflate_LongCodes has symbols as frequent as the Fibonacci numbers, for
// which Huffman's codes are longest: they are cut to what the writer takes.
func TestDeflate_LongCodes(t *testing.T) {
	var page []byte
	for a, b, s := 1, 1, byte(0); len(page)+a < maxPage; a, b, s = b, a+b, s+1 {
		page = append(page, bytes.Repeat([]byte{s}, a)...)
	}
	r := rand.New(rand.NewPCG(65, 0))
	r.Shuffle(len(page), func(i, j int) { page[i], page[j] = page[j], page[i] })
	for level := 1; level <= 9; level++ {
		z := newDeflateEncoder(level, 1<<9)
		dst := make([]byte, DstSize(len(page)))
		size := z.encode(dst, page, 0)
		got := make([]byte, len(page))
		if err := stdlibInflate(got, dst[:size]); err != nil || !bytes.Equal(got, page) {
			t.Errorf("level %d: %v", level, err)
		}
		if longest := slices.Max(z.coder.litlenLengths[:]); longest > deflateLitlenLimit {
			t.Errorf("level %d: a code of %d bits", level, longest)
		}
	}
	c := new(deflateCoder)
	c.plan(page, nil)
	if longest := slices.Max(c.litlenLengths[:]); longest > deflateLitlenLimit {
		t.Errorf("literals alone: a code of %d bits", longest)
	}
	dst := make([]byte, DstSize(len(page)))
	w := deflateWriter{dst: dst}
	c.block(&w, page, nil, true)
	w.align()
	if err := stdlibInflate(make([]byte, len(page)), dst[:w.o]); err != nil {
		t.Error(err)
	}
}
