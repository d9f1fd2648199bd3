package compress

import (
	"bytes"
	"errors"
	"testing"
)

// fuzzed opens the variants of a codec that keep accepts. The biggest contexts
// are left out: they would leave the fuzzer's processes no memory.
func fuzzed(f *testing.F, codec string, keep func(Params) bool) []Stream {
	var open []Stream
	for _, v := range variants() {
		if v.codec == codec && v.params.Level < 10 && keep(v.params) {
			open = append(open, v.open(f))
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
			f.Add(makePage(k, n, 7), uint16(n))
		}
	}
	f.Fuzz(func(t *testing.T, page []byte, room uint16) {
		page = page[:min(len(page), maxPage)]
		for i, s := range streams {
			if err := roundTrip(s, page); err != nil {
				t.Fatalf("variant %d: %v", i, err)
			}
			dst, intact := guarded(int(room))
			n, err := s.Compress(dst, page)
			if err == nil && n > len(dst) || err != nil && !errors.Is(err, ErrIncompressible) {
				t.Fatalf("variant %d: %d bytes into %d: %v", i, n, len(dst), err)
			}
			if !intact() {
				t.Fatalf("variant %d: wrote past dst", i)
			}
		}
	})
}

// fuzzDecompress feeds anything to the decoders: the page comes back whole or
// ErrCorrupt does, and the stream works on afterwards.
func fuzzDecompress(f *testing.F, codec string) {
	streams := fuzzed(f, codec, decodes)
	sample := makePage(kindText, PageSize, 8)
	samples := make([][]byte, len(streams)) // what each stream made of it
	for i, s := range streams {
		for k := range pageKinds {
			for _, n := range []int{0, 20, PageSize} {
				dst := make([]byte, DstSize(n))
				m, err := s.Compress(dst, makePage(k, n, 8))
				if err != nil {
					f.Fatal(err)
				}
				f.Add(dst[:m], uint16(n))
				if k == kindText && n == PageSize {
					samples[i] = dst[:m]
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, src []byte, size uint16) {
		before := bytes.Clone(src)
		for i, s := range streams {
			page, intact := guarded(int(size))
			if err := s.Decompress(page, src); err != nil && !errors.Is(err, ErrCorrupt) {
				t.Fatalf("variant %d: %v", i, err)
			}
			if !intact() {
				t.Fatalf("variant %d: wrote past the page", i)
			}
			if !bytes.Equal(src, before) {
				t.Fatalf("variant %d: wrote to its input", i)
			}
			back := make([]byte, len(sample))
			if err := s.Decompress(back, samples[i]); err != nil || !bytes.Equal(back, sample) {
				t.Fatalf("variant %d: the stream is spoilt: %v", i, err)
			}
		}
	})
}

func FuzzLZ4_RoundTrip(f *testing.F)      { fuzzRoundTrip(f, "lz4") }
func FuzzLZ4_Decompress(f *testing.F)     { fuzzDecompress(f, "lz4") }
func FuzzLZ4HC_RoundTrip(f *testing.F)    { fuzzRoundTrip(f, "lz4hc") }
func FuzzLZ4HC_Decompress(f *testing.F)   { fuzzDecompress(f, "lz4hc") }
func FuzzZstd_RoundTrip(f *testing.F)     { fuzzRoundTrip(f, "zstd") }
func FuzzZstd_Decompress(f *testing.F)    { fuzzDecompress(f, "zstd") }
func FuzzDeflate_RoundTrip(f *testing.F)  { fuzzRoundTrip(f, "deflate") }
func FuzzDeflate_Decompress(f *testing.F) { fuzzDecompress(f, "deflate") }
func FuzzLZO_RoundTrip(f *testing.F)      { fuzzRoundTrip(f, "lzo") }
func FuzzLZO_Decompress(f *testing.F)     { fuzzDecompress(f, "lzo") }
func FuzzLZORLE_RoundTrip(f *testing.F)   { fuzzRoundTrip(f, "lzo-rle") }
func FuzzLZORLE_Decompress(f *testing.F)  { fuzzDecompress(f, "lzo-rle") }
func Fuzz842_RoundTrip(f *testing.F)      { fuzzRoundTrip(f, "842") }
func Fuzz842_Decompress(f *testing.F)     { fuzzDecompress(f, "842") }
