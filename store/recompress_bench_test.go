package store

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"uzram/compress"
)

// BenchmarkRecompress compares a run with what its codecs take alone, reading by
// the primary algorithm and writing by the secondary one, in turns and by the
// time of the processor. The pages are in a run's own order in both.
func BenchmarkRecompress(b *testing.B) {
	const pages = 4096
	for _, secondary := range []string{"zstd", "deflate", "lz4hc"} {
		b.Run("alg="+secondary, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			d, w := newSecondaryDevice(b, 1, pages, "lz4", []string{secondary})
			disk, objects := benchPages(b, pages)
			first, second := openStream(b, "lz4"), openStream(b, secondary)
			dst, page := make([]byte, compress.DstSize(PageSize)), make([]byte, PageSize)
			var run, codecs time.Duration
			for b.Loop() {
				mustWrite(b, d, w.Scratch(0), disk, 0)
				start := threadTime(b)
				if r := mustRecompress(b, d, RecompressRequest{}); r.Tried != pages {
					b.Fatalf("%+v", r)
				}
				run += threadTime(b) - start
				start = threadTime(b)
				for i, object := range objects {
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
				codecs += threadTime(b) - start
			}
			b.ReportMetric(float64(pages*b.N)/run.Seconds(), "pages/cpu-s")
			b.ReportMetric(float64(codecs)/float64(run), "of-codecs'-speed")
		})
	}
}

// benchPages are pages of which lz4 keeps the first half raw, and what lz4 makes
// of each.
func benchPages(b *testing.B, pages int) (disk []byte, objects [][]byte) {
	rng, s := newRand(b), openStream(b, "lz4")
	dst := make([]byte, compress.DstSize(PageSize))
	for i := range pages {
		page := symbolPage(rng)
		if i >= pages/2 {
			clear(page[PageSize/2:])
		}
		n, err := s.Compress(dst, page)
		if err != nil {
			b.Fatal(err)
		}
		disk, objects = append(disk, page...), append(objects, append([]byte(nil), dst[:n]...))
	}
	return disk, objects
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

// threadTime is how long the calling thread has run.
func threadTime(b *testing.B) time.Duration {
	b.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		b.Fatal(err)
	}
	return time.Duration(ts.Nano())
}
