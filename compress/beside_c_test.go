//go:build clib

package compress

import (
	"slices"
	"testing"
	"time"

	"uzram/internal/clib"
)

// besideC are the settings to compare: each algorithm as a device has it by
// default, and other levels.
var besideC = []variant{
	{codec: "lzo-rle"}, {codec: "lzo"}, {codec: "lz4"}, level("lz4", 4),
	level("lz4hc", 1), level("lz4hc", 4), level("lz4hc", 9), level("lz4hc", 12),
	level("zstd", -5), level("zstd", -1), level("zstd", 1), level("zstd", 3), level("zstd", 6), level("zstd", 9),
	level("zstd", 19),
	winBits(1, -11), winBits(6, -11), winBits(9, -11), winBits(6, -15),
}

// besidePages is about how many pages are enough.
const besidePages = 2000

// BenchmarkBesideC has C and ours do the same pages in turns, and reports the
// medians over the rounds of our speed by C's.
//
//	UZRAM_CORPUS=FILE go test -tags clib ./compress -run '^$' -bench BesideC/alg=zstd -benchtime 5x
func BenchmarkBesideC(b *testing.B) {
	_, pages := benchPages(b)
	pages = every(max(1, len(pages)/besidePages), pages)
	for _, v := range besideC {
		b.Run("alg="+v.String(), func(b *testing.B) {
			c, own := newContender(pages, v.peer(b)), newContender(pages, pageByPage{v.open(b)})
			var compress, decompress []float64
			for b.Loop() {
				ct, ot := race(len(pages), c.compress, own.compress)
				compress = append(compress, ct.Seconds()/ot.Seconds())
				b.Logf("compress: C %.0f MB/s, own %.0f", c.speed(ct), own.speed(ot))
				ct, ot = race(len(pages), c.decompress, own.decompress)
				decompress = append(decompress, ct.Seconds()/ot.Seconds())
				b.Logf("decompress: C %.0f MB/s, own %.0f", c.speed(ct), own.speed(ot))
			}
			b.ReportMetric(median(compress), "compress/C")
			b.ReportMetric(median(decompress), "decompress/C")
			b.ReportMetric(own.ratio(), "ratio")
			b.ReportMetric(own.ratio()/c.ratio(), "ratio/C")
		})
	}
}

// every returns every n-th page.
func every(n int, pages [][]byte) (some [][]byte) {
	for i := 0; i < len(pages); i += n {
		some = append(some, pages[i])
	}
	return some
}

// batch does many pages in one call.
type batch interface {
	CompressAll(out []byte, length []uint64, pages []byte) error
	DecompressAll(page, out []byte, length []uint64) error
}

// pageByPage does what C does in one call.
type pageByPage struct{ Stream }

func (s pageByPage) CompressAll(out []byte, length []uint64, pages []byte) error {
	for i := range length {
		n, err := s.Compress(out[i*slot:(i+1)*slot], pages[i*PageSize:(i+1)*PageSize])
		if err != nil {
			return err
		}
		length[i] = uint64(n)
	}
	return nil
}

func (s pageByPage) DecompressAll(page, out []byte, length []uint64) error {
	for i, n := range length {
		if err := s.Decompress(page, out[i*slot:i*slot+int(n)]); err != nil {
			return err
		}
	}
	return nil
}

const (
	// A round makes so many passes over all pages for each of the two, and goes
	// on for so long, at least.
	leastPasses = 3
	leastTime   = 500 * time.Millisecond
	// group is how many pages are timed together.
	group = 16
)

// race has two do n pages in turns, and returns for each the sum of the fastest
// times of its groups: an interruption spoils one pass over one group.
func race(n int, a, b func(i, j int) error) (at, bt time.Duration) {
	fastest := [2][]time.Duration{make([]time.Duration, (n+group-1)/group), make([]time.Duration, (n+group-1)/group)}
	begin := time.Now()
	for pass := 0; pass < leastPasses || time.Since(begin) < leastTime; pass++ {
		for side, do := range [2]func(i, j int) error{a, b} {
			for g, before := range fastest[side] {
				start := time.Now()
				if err := do(g*group, min((g+1)*group, n)); err != nil {
					panic(err)
				}
				if d := time.Since(start); before == 0 || d < before {
					fastest[side][g] = d
				}
			}
		}
	}
	return sum(fastest[0]), sum(fastest[1])
}

func sum(all []time.Duration) (d time.Duration) {
	for _, t := range all {
		d += t
	}
	return d
}

// slot is the room for a compressed page.
var slot = clib.Bound(PageSize)

// contender is one of the two, with the pages and what it made of them.
type contender struct {
	batch
	pages, out []byte
	length     []uint64
	page       []byte
}

func newContender(pages [][]byte, b batch) *contender {
	n := len(pages)
	return &contender{b, slices.Concat(pages...), make([]byte, n*slot), make([]uint64, n), make([]byte, PageSize)}
}

func (c *contender) compress(i, j int) error {
	return c.CompressAll(c.out[i*slot:j*slot], c.length[i:j], c.pages[i*PageSize:j*PageSize])
}

func (c *contender) decompress(i, j int) error {
	return c.DecompressAll(c.page, c.out[i*slot:j*slot], c.length[i:j])
}

func (c *contender) speed(d time.Duration) float64 { return float64(len(c.pages)) / 1e6 / d.Seconds() }

func (c *contender) ratio() float64 {
	stored := 0
	for _, n := range c.length {
		stored += min(int(n), PageSize)
	}
	return float64(len(c.pages)) / float64(stored)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
