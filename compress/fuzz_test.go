package compress

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// fuzzed opens the variants of a codec that keep accepts. The biggest contexts
// are left out: they would leave the fuzzer's processes no memory.
func fuzzed(f *testing.F, codec string, keep func(Params) bool) []*walledStream {
	var open []*walledStream
	for _, v := range variants() {
		if v.codec == codec && v.params.Level < 10 && keep(v.params) {
			open = append(open, newWalledStream(f, v))
		}
	}
	return open
}

// encodes accepts every variant.
func encodes(Params) bool { return true }

// decodes accepts the variants that a decoder can tell apart: with or without a
// dictionary, raw or zlib.
func decodes(p Params) bool {
	return !p.HasLevel && len(p.Dict) != 1 || p.WinBits == 9
}

// fuzzRoundTrip feeds pages of any content and length to every variant of codec,
// with room for the result and without.
func fuzzRoundTrip(f *testing.F, codec string) {
	streams := fuzzed(f, codec, encodes)
	for k := range pageKinds {
		for _, n := range []int{0, 1, 19, 20, 40, 300, PageSize} {
			f.Add(makePage(k, n, 7), uint32(0), uint32(n))
		}
		f.Add(makePage(k, 200, 7), uint32(maxPage-k), uint32(PageSize))
		f.Add(makePage(k, 200, 8), uint32(PageSize<<(k%5)), uint32(PageSize))
	}
	f.Fuzz(func(t *testing.T, tale []byte, length, room uint32) {
		page := tale[:min(len(tale), maxPage)]
		if length > 0 {
			page = tell(tale, int(length%(maxPage+1)))
		}
		for i, s := range streams {
			last := room%2 == 0
			packed, err := s.compress(t, last, DstSize(len(page)), page)
			if err != nil {
				t.Fatalf("variant %d: compress: %v", i, err)
			}
			want := bytes.Clone(packed)
			if got, err := s.decompress(t, last, len(page), packed); err != nil || !bytes.Equal(got, page) {
				t.Fatalf("variant %d: decompress of %d bytes: %v, equal: %t", i, len(want), err, bytes.Equal(got, page))
			}
			n := int(room) % DstSize(len(page))
			packed, err = s.compress(t, last, n, page)
			if fits := n >= len(want); fits != (err == nil) || !fits && !errors.Is(err, ErrIncompressible) {
				t.Fatalf("variant %d: %d bytes into %d: %v", i, len(want), n, err)
			} else if fits && !bytes.Equal(packed, want) {
				t.Fatalf("variant %d: other bytes in a dst of %d", i, n)
			}
		}
	})
}

// tell makes a page of n bytes of a tale: literals, and copies from anywhere
// before, as long as it says; it is told again and again until the page is full.
func tell(tale []byte, n int) []byte {
	page := make([]byte, 0, n+256)
	if len(tale) == 0 {
		return page[:n]
	}
	at := 0
	next := func() int {
		b := tale[at%len(tale)]
		at++
		return int(b)
	}
	for len(page) < n {
		op := next()
		if op < 128 || len(page) == 0 {
			for range op%32 + 1 {
				page = append(page, byte(next()+at/len(tale))) // other literals each time
			}
			continue
		}
		from := len(page) - 1 - (next()<<8|next()+at/len(tale))%len(page)
		for range 2 + (op&127)*(op&127)/64 {
			page = append(page, page[from])
			from++
		}
	}
	return page[:n]
}

// fuzzDecompress feeds anything to the decoders: the page comes back whole or
// ErrCorrupt does, and the stream works on afterwards. Nothing outside page and
// src is touched, nor src written to. There are the streams of pages to begin
// with, spoilt ones, and those of vectors.
func fuzzDecompress(f *testing.F, codec string, vectors ...vector) {
	streams := fuzzed(f, codec, decodes)
	for _, v := range vectors {
		f.Add(v.stream, uint32(len(v.page)))
	}
	r := rand.New(rand.NewPCG(42, 0))
	sample := makePage(kindText, 500, 8)
	samples := make([][]byte, len(streams)) // what each stream made of it
	for i, s := range streams {
		pack := func(page []byte) []byte {
			dst := make([]byte, DstSize(len(page)))
			n, err := s.Compress(dst, page)
			if err != nil {
				f.Fatal(err)
			}
			return dst[:n]
		}
		samples[i] = pack(sample)
		for k := range pageKinds {
			for _, n := range []int{0, 20, 300, PageSize, 20 << 10} {
				packed := pack(makePage(k, n, 8))
				f.Add(packed, uint32(n))
				f.Add(spoil(packed, r), uint32(n))
			}
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, size uint32) {
		src = src[:min(len(src), DstSize(maxPage))]
		n := int(size % (maxPage + 1))
		for i, s := range streams {
			for _, last := range []bool{true, false} {
				packed := append(s.packed.at(last, len(src))[:0], src...)
				if _, err := s.decompress(t, last, n, packed); err != nil && !errors.Is(err, ErrCorrupt) {
					t.Fatalf("variant %d, at the end of memory %t: %v", i, last, err)
				}
			}
			packed := append(s.packed.at(true, len(samples[i]))[:0], samples[i]...)
			if back, err := s.decompress(t, true, len(sample), packed); err != nil || !bytes.Equal(back, sample) {
				t.Fatalf("variant %d: the stream is spoilt: %v", i, err)
			}
		}
	})
}

// fuzzDictionary opens streams with any dictionary that Check lets pass, and
// sends pages through them that have it in common.
func fuzzDictionary(f *testing.F, codec string) {
	f.Add([]byte{}, []byte("page"))
	for k := range pageKinds {
		f.Add(makePage(k, 1000, 9), makePage(k, 2000, 9))
	}
	f.Add(trainedDict(), makePage(kindText, 2000, 9))
	r := rand.New(rand.NewPCG(43, 0))
	for range 20 {
		f.Add(spoil(trainedDict(), r), makePage(kindText, 2000, 9))
	}
	c, _ := Lookup(codec)
	f.Fuzz(func(t *testing.T, dict, page []byte) {
		dict, page = dict[:min(len(dict), maxDict)], page[:min(len(page), maxPage)]
		p := Params{Dict: dict}
		s, err := c.NewStream(p)
		if (err == nil) != (c.Check(p) == nil) {
			t.Fatalf("Check: %v, NewStream: %v", c.Check(p), err)
		}
		if err != nil {
			return
		}
		for _, page := range [][]byte{page, dict, tell(append(bytes.Clone(page), dict...), PageSize)} {
			if err := roundTrip(s, page); err != nil {
				t.Errorf("page of %d bytes: %v", len(page), err)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func FuzzLZ4_RoundTrip(f *testing.F)      { fuzzRoundTrip(f, "lz4") }
func FuzzLZ4_Decompress(f *testing.F)     { fuzzDecompress(f, "lz4") }
func FuzzLZ4_Dictionary(f *testing.F)     { fuzzDictionary(f, "lz4") }
func FuzzLZ4HC_RoundTrip(f *testing.F)    { fuzzRoundTrip(f, "lz4hc") }
func FuzzLZ4HC_Decompress(f *testing.F)   { fuzzDecompress(f, "lz4hc") }
func FuzzLZ4HC_Dictionary(f *testing.F)   { fuzzDictionary(f, "lz4hc") }
func FuzzZstd_RoundTrip(f *testing.F)     { fuzzRoundTrip(f, "zstd") }
func FuzzZstd_Decompress(f *testing.F)    { fuzzDecompress(f, "zstd") }
func FuzzZstd_Dictionary(f *testing.F)    { fuzzDictionary(f, "zstd") }
func FuzzDeflate_RoundTrip(f *testing.F)  { fuzzRoundTrip(f, "deflate") }
func FuzzDeflate_Decompress(f *testing.F) { fuzzDecompress(f, "deflate") }
func FuzzLZO_RoundTrip(f *testing.F)      { fuzzRoundTrip(f, "lzo") }
func FuzzLZO_Decompress(f *testing.F)     { fuzzDecompress(f, "lzo", readVectors(f, "lzo.txt")...) }
func FuzzLZORLE_RoundTrip(f *testing.F)   { fuzzRoundTrip(f, "lzo-rle") }
func FuzzLZORLE_Decompress(f *testing.F)  { fuzzDecompress(f, "lzo-rle", readVectors(f, "lzo.txt")...) }
func Fuzz842_RoundTrip(f *testing.F)      { fuzzRoundTrip(f, "842") }
func Fuzz842_Decompress(f *testing.F)     { fuzzDecompress(f, "842", readVectors(f, "842.txt")...) }
