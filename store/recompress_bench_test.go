package store

import (
	"testing"

	"uzram/compress"
)

// BenchmarkRecompress is pages per second of a run, beside those of the codecs
// alone: reading by the primary algorithm, writing by the secondary one.
func BenchmarkRecompress(b *testing.B) {
	const pages = 4096
	rng := newRand(b)
	disk := make([]byte, pages*PageSize)
	for i := range pages {
		page := disk[i*PageSize:][:PageSize]
		if i%2 == 0 {
			copy(page, symbolPage(rng))
		} else {
			fillPage(rng, halfPage, page)
			copy(page[PageSize/4:], symbolPage(rng)[:PageSize/4])
		}
	}
	for _, secondary := range []string{"zstd", "deflate", "lz4hc"} {
		b.Run("codecs/alg="+secondary, func(b *testing.B) {
			b.SetBytes(pages * PageSize)
			first, second := openStream(b, "lz4"), openStream(b, secondary)
			dst, page := make([]byte, compress.DstSize(PageSize)), make([]byte, PageSize)
			var packed [][]byte
			for i := range pages {
				n, err := first.Compress(dst, disk[i*PageSize:][:PageSize])
				if err != nil {
					b.Fatal(err)
				}
				packed = append(packed, append([]byte(nil), dst[:n]...))
			}
			for b.Loop() {
				for i, object := range packed {
					raw := disk[i*PageSize:][:PageSize]
					if len(object) < PageSize {
						if err := first.Decompress(page, object); err != nil {
							b.Fatal(err)
						}
						raw = page
					}
					if _, err := second.Compress(dst, raw); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(pages*b.N)/b.Elapsed().Seconds(), "pages/s")
		})
		b.Run("run/alg="+secondary, func(b *testing.B) {
			b.SetBytes(pages * PageSize)
			d, w := newSecondaryDevice(b, 1, pages, "lz4", []string{secondary})
			for b.Loop() {
				b.StopTimer()
				mustWrite(b, d, w.Scratch(0), disk, 0)
				b.StartTimer()
				if r := mustRecompress(b, d, RecompressRequest{}); r.Tried != pages {
					b.Fatalf("%+v", r)
				}
			}
			b.ReportMetric(float64(pages*b.N)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}

func openStream(b *testing.B, algorithm string) compress.Stream {
	b.Helper()
	codec, _ := compress.Lookup(algorithm)
	s, err := codec.NewStream(compress.Params{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s
}
