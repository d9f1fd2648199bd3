package compress

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestLZO_Vectors(t *testing.T) {
	s := variant{codec: "lzo-rle"}.open(t)
	checkVectors(t, "lzo.txt", s)
	checkCorruptAtEveryLength(t, "lzo.txt", s)
}

// TestLZO_HurryIsStep compares the decoder with its careful half alone, on
// streams with bytes changed.
func TestLZO_HurryIsStep(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 0))
	fine := 0
	for _, name := range []string{"lzo", "lzo-rle"} {
		s := variant{codec: name}.open(t)
		for k := range pageKinds {
			for _, n := range []int{100, PageSize, 40 << 10} {
				dst := make([]byte, DstSize(n))
				size, err := s.Compress(dst, makePage(k, n, 31))
				if err != nil {
					t.Fatal(err)
				}
				for range 300 {
					src := bytes.Clone(dst[:size])
					for range r.IntN(4) {
						src[r.IntN(len(src))] = byte(r.Uint32())
					}
					if compareLZODecoders(t, src, n) {
						fine++
					}
				}
			}
		}
	}
	if fine == 0 {
		t.Error("all streams were corrupt")
	}
}

// compareLZODecoders reads src as the stream of a page of n bytes by both ways,
// and returns whether it is one.
func compareLZODecoders(t *testing.T, src []byte, n int) bool {
	t.Helper()
	fast, slow := make([]byte, n), make([]byte, n)
	err, want := lzoDecompress(fast, src), lzoStepwise(slow, src)
	if (err == nil) != want || want && !bytes.Equal(fast, slow) {
		t.Fatalf("hurrying: %v, step by step fine: %t, pages equal: %t; % x", err, want, bytes.Equal(fast, slow), src)
	}
	return want
}

// lzoStepwise is lzoDecompress without hurry.
func lzoStepwise(page, src []byte) bool {
	d := lzoDecoder{page: page, src: src}
	if !d.begin() {
		return false
	}
	for {
		if more, ok := d.step(); !ok {
			return false
		} else if !more {
			return d.i == len(src) && d.o == len(page)
		}
	}
}

func FuzzLZO_HurryIsStep(f *testing.F) {
	s := variant{codec: "lzo-rle"}.open(f)
	for k := range pageKinds {
		dst := make([]byte, DstSize(PageSize))
		size, err := s.Compress(dst, makePage(k, PageSize, 31))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(dst[:size], uint16(PageSize))
	}
	f.Fuzz(func(t *testing.T, src []byte, n uint16) { compareLZODecoders(t, src, int(n)) })
}

// TestLZORLE_NoMatchIsARun repeats so much from so far that the match, with
// three literals behind, would read as a run of zeros.
func TestLZORLE_NoMatchIsARun(t *testing.T) {
	s := variant{codec: "lzo-rle"}.open(t)
	r := rand.New(rand.NewPCG(32, 0))
	for _, distance := range []int{0x803f, 0x807f, 0xb0bf, 0xbfbf, 0xbfff} {
		for size := 4; size < 270; size++ {
			page := make([]byte, 1+distance+size+100)
			fillRandom(page[:500], r)
			page[0] = 1
			again := page[1+distance:]
			copy(again, page[1:1+size])
			again[size] = ^page[1+size]
			fillRandom(again[size+1:size+3], r)
			copy(again[size+3:], page[1:40])
			if err := roundTrip(s, page); err != nil {
				t.Errorf("%d bytes from %#x before: %v", size, distance, err)
			}
		}
	}
}

// TestLZO_OutOfReach repeats bytes from about as far as a match reaches, up to
// the end of the page.
func TestLZO_OutOfReach(t *testing.T) {
	for _, name := range []string{"lzo", "lzo-rle"} {
		s := variant{codec: name}.open(t)
		for distance := lzoFarReach - 2; distance <= lzoFarReach+2; distance++ {
			for size := 1; size < 60; size++ {
				page := make([]byte, 1+distance+size)
				copy(page, makePage(kindRandom, 60, 38))
				copy(page[1+distance:], page[1:])
				if err := roundTrip(s, page); err != nil {
					t.Fatalf("%s, %d bytes from %d before: %v", name, size, distance, err)
				}
			}
		}
	}
}

// TestLZO_EveryPeriod repeats few bytes, the match overlapping itself.
func TestLZO_EveryPeriod(t *testing.T) {
	for _, name := range []string{"lzo", "lzo-rle"} {
		s := variant{codec: name}.open(t)
		for period := 1; period <= 40; period++ {
			for n := period; n < 600; n += 1 + n/20 {
				page := makePage(kindRandom, n, 33)
				for i := period; i < n; i++ {
					page[i] = page[i-period]
				}
				page = append(page, makePage(kindRandom, 100, 33)...) // so that the match is not the end
				if err := roundTrip(s, page); err != nil {
					t.Fatalf("%s, %d bytes again and again up to %d: %v", name, period, n, err)
				}
			}
		}
	}
}

// TestLZO_EveryLength writes pages of every length up to one page, and lengths
// spread up to the largest.
func TestLZO_EveryLength(t *testing.T) {
	checkEveryLength(t, variant{codec: "lzo"}.open(t))
	checkEveryLength(t, variant{codec: "lzo-rle"}.open(t))
}

func checkEveryLength(t *testing.T, s Stream) {
	t.Helper()
	for k, kind := range pageKinds {
		whole := makePage(k, maxPage, 10)
		for _, n := range pageLengths(lengthStep(variant{})) {
			if err := roundTrip(s, whole[maxPage-n:]); err != nil {
				t.Fatalf("%s of %d bytes: %v", kind.name, n, err)
			}
		}
	}
}
