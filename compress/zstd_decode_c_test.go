//go:build clib

package compress

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"uzram/internal/clib"
)

// TestZstdDecoder_LibZstd reads what libzstd writes at every level, with its own
// dictionaries too.
func TestZstdDecoder_LibZstd(t *testing.T) {
	dicts := append([][]byte{nil, makePage(kindText, 5000, 3)}, trainedByC(t, 2<<10), trainedByC(t, 16<<10))
	dst := make([]byte, clib.Bound(maxPage))
	for _, dict := range dicts {
		d := newTestDecoder(t, dict)
		for level := -5; level <= 22; level++ {
			c := clib.NewZstd(level, dict)
			for k, kind := range pageKinds {
				for _, n := range []int{1, 40, 300, PageSize, 16 << 10, maxPage} {
					if n > PageSize && (level+k)%5 != 0 {
						continue // a fifth of the large ones is enough
					}
					want := makePage(k, n, uint64(level+100))
					m, err := c.Compress(dst, want)
					if err != nil {
						t.Fatal(err)
					}
					page, intact := guarded(n)
					if err := d.Decompress(page, dst[:m]); err != nil || !bytes.Equal(page, want) || !intact() {
						t.Fatalf("level %d, dictionary of %d bytes, %s of %d: %v", level, len(dict), kind.name, n, err)
					}
				}
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// frames are compressed pages of size bytes, each in its slot of data.
type frames struct {
	size, slot int
	data       []byte
	length     []uint64
}

func newFrames(b *testing.B, size int, pages []byte, z interface {
	Compress(dst, page []byte) (int, error)
}) *frames {
	f := &frames{size: size, slot: clib.Bound(size)}
	f.length = make([]uint64, len(pages)/size)
	f.data = make([]byte, len(f.length)*f.slot)
	for i := range f.length {
		n, err := z.Compress(f.data[i*f.slot:][:f.slot], pages[i*size:][:size])
		if err != nil {
			b.Fatal(err)
		}
		f.length[i] = uint64(n)
	}
	return f
}

// each has read do the frames from i to j, one by one.
func (f *frames) each(i, j int, read func(src []byte) error) error {
	for ; i < j; i++ {
		if err := read(f.data[i*f.slot:][:f.length[i]]); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkZstdDecoder has libzstd, klauspost's library and our decoder read the
// same frames in turns, and reports the medians over the rounds of our speed by
// theirs.
//
//	UZRAM_CORPUS=FILE go test -tags clib ./compress -run '^$' -bench ZstdDecoder -benchtime 5x
func BenchmarkZstdDecoder(b *testing.B) {
	_, all := benchPages(b)
	pages := slices.Concat(every(max(1, len(all)/besidePages), all)...)
	for _, c := range []struct{ level, size int }{
		{3, PageSize}, {3, 16 << 10}, {3, maxPage}, {-1, PageSize}, {1, PageSize}, {9, PageSize}, {19, PageSize},
	} {
		for _, writer := range []string{"C", "own"} {
			b.Run(fmt.Sprintf("level=%d/page=%d/writer=%s", c.level, c.size, writer), func(b *testing.B) {
				v := level("zstd", int32(c.level))
				if writer == "C" {
					benchmarkDecoders(b, newFrames(b, c.size, pages, v.peer(b)))
				} else {
					benchmarkDecoders(b, newFrames(b, c.size, pages, v.open(b)))
				}
			})
		}
	}
}

func benchmarkDecoders(b *testing.B, f *frames) {
	c := level("zstd", 3).peer(b)
	own := newTestDecoder(b, nil)
	library, err := zstd.NewReader(nil, zstdDecoderOptions(nil)...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(library.Close)
	page := make([]byte, f.size)
	byC := func(i, j int) error { return c.DecompressAll(page, f.data[i*f.slot:j*f.slot], f.length[i:j]) }
	byLibrary := func(i, j int) error {
		return f.each(i, j, func(src []byte) error {
			_, err := library.DecodeAll(src, page[:0])
			return err
		})
	}
	byOwn := func(i, j int) error {
		return f.each(i, j, func(src []byte) error { return own.Decompress(page, src) })
	}
	var withC, withLibrary []float64
	speed := func(d time.Duration) float64 { return float64(len(f.length)*f.size) / 1e6 / d.Seconds() }
	for b.Loop() {
		ct, ot := race(len(f.length), byC, byOwn)
		withC = append(withC, ct.Seconds()/ot.Seconds())
		b.Logf("C %.0f MB/s, own %.0f", speed(ct), speed(ot))
		lt, ot := race(len(f.length), byLibrary, byOwn)
		withLibrary = append(withLibrary, lt.Seconds()/ot.Seconds())
		b.Logf("library %.0f MB/s, own %.0f", speed(lt), speed(ot))
	}
	b.ReportMetric(median(withC), "own/C")
	b.ReportMetric(median(withLibrary), "own/library")
}
