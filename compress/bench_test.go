package compress

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// benchPages returns the pages of the file that UZRAM_CORPUS names, without
// same-filled ones, which never reach a codec; else made ones. The name tells
// which, for it is part of the benchmark's.
func benchPages(b *testing.B) (name string, pages [][]byte) {
	b.Helper()
	file := os.Getenv("UZRAM_CORPUS")
	if file == "" {
		for k := range pageKinds {
			for seed := range uint64(16) {
				pages = append(pages, makePage(k, PageSize, seed))
			}
		}
		return "made", pages
	}
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	for ; len(data) >= PageSize; data = data[PageSize:] {
		if p := data[:PageSize]; !bytes.Equal(p[8:], p[:PageSize-8]) {
			pages = append(pages, p)
		}
	}
	if len(pages) == 0 {
		b.Fatalf("%s has no page to compress", file)
	}
	return "corpus", pages
}

// BenchmarkCompress compresses page after page; ratio is over all of them, a
// page that did not shrink counting as stored raw.
func BenchmarkCompress(b *testing.B) {
	data, pages := benchPages(b)
	dst := make([]byte, DstSize(PageSize))
	bench := func(alg string, compress func(page []byte) (int, error)) {
		b.Run(fmt.Sprintf("alg=%s/data=%s", alg, data), func(b *testing.B) {
			b.SetBytes(PageSize)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := compress(pages[i%len(pages)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.StopTimer()
			b.ReportMetric(ratio(b, pages, compress), "ratio")
		})
	}
	for _, name := range Names() {
		s := variant{codec: name}.open(b)
		bench(name, func(page []byte) (int, error) { return s.Compress(dst, page) })
	}
	var c lz4.CompressorCCompat
	bench("lz4-library", func(page []byte) (int, error) { return c.CompressBlock(page, dst) })
}

func ratio(b *testing.B, pages [][]byte, compress func(page []byte) (int, error)) float64 {
	b.Helper()
	total := 0
	for _, p := range pages {
		n, err := compress(p)
		if err != nil {
			b.Fatal(err)
		}
		total += min(n, PageSize)
	}
	return float64(len(pages)*PageSize) / float64(total)
}

// BenchmarkDecompress decompresses the pages that shrank.
func BenchmarkDecompress(b *testing.B) {
	data, pages := benchPages(b)
	dst, page := make([]byte, DstSize(PageSize)), make([]byte, PageSize)
	for _, name := range Names() {
		b.Run(fmt.Sprintf("alg=%s/data=%s", name, data), func(b *testing.B) {
			s := variant{codec: name}.open(b)
			var packed [][]byte
			for _, p := range pages {
				n, err := s.Compress(dst, p)
				if err != nil {
					b.Fatal(err)
				}
				if n < PageSize {
					packed = append(packed, bytes.Clone(dst[:n]))
				}
			}
			b.SetBytes(PageSize)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if err := s.Decompress(page, packed[i%len(packed)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
