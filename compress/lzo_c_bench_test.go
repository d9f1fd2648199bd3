//go:build clib

package compress

import (
	"slices"
	"testing"
	"time"

	"uzram/internal/clib"
)

// BenchmarkLZO_BesideC has liblzo2 and ours do the same pages in turns, and
// reports the medians over the rounds of our speed by C's. A figure of a round is
// made of the fastest of several passes over each group of pages.
func BenchmarkLZO_BesideC(b *testing.B) {
	_, pages := benchPages(b)
	all := slices.Concat(pages...)
	for _, name := range []string{"lzo", "lzo-rle"} {
		b.Run("alg="+name, func(b *testing.B) {
			c := newLZOTrial(len(pages))
			own := newLZOTrial(len(pages))
			z, s := clib.NewLZO(), variant{codec: name}.open(b)
			page := make([]byte, PageSize)
			var compressRatios, decompressRatios []float64
			for b.Loop() {
				ct := c.time(len(pages), func(i, j int) error {
					return z.CompressAll(c.at(i, j), c.length[i:j], all[i*PageSize:j*PageSize])
				})
				ot := own.time(len(pages), func(i, j int) error {
					for ; i < j; i++ {
						n, err := s.Compress(own.at(i, i+1), pages[i])
						if err != nil {
							return err
						}
						own.length[i] = uint64(n)
					}
					return nil
				})
				compressRatios = append(compressRatios, ct.Seconds()/ot.Seconds())
				b.Logf("compress: C %.0f MB/s, own %.0f", float64(len(all))/1e6/ct.Seconds(), float64(len(all))/1e6/ot.Seconds())
				ct = c.time(len(pages), func(i, j int) error {
					return z.DecompressAll(page, c.at(i, j), c.length[i:j])
				})
				ot = own.time(len(pages), func(i, j int) error {
					for ; i < j; i++ {
						if err := s.Decompress(page, own.at(i, i+1)[:own.length[i]]); err != nil {
							return err
						}
					}
					return nil
				})
				decompressRatios = append(decompressRatios, ct.Seconds()/ot.Seconds())
				b.Logf("decompress: C %.0f MB/s, own %.0f", float64(len(all))/1e6/ct.Seconds(), float64(len(all))/1e6/ot.Seconds())
			}
			b.ReportMetric(median(compressRatios), "compress/C")
			b.ReportMetric(median(decompressRatios), "decompress/C")
			b.ReportMetric(own.ratio(), "ratio")
			b.ReportMetric(own.ratio()/c.ratio(), "ratio/C")
		})
	}
}

type lzoTrial struct {
	out    []byte
	length []uint64
}

const lzoSlot = PageSize + PageSize/16 + 67

func newLZOTrial(n int) *lzoTrial {
	return &lzoTrial{out: make([]byte, n*lzoSlot), length: make([]uint64, n)}
}

func (t *lzoTrial) at(i, j int) []byte { return t.out[i*lzoSlot : j*lzoSlot] }

// time does n pages in groups, several times over, and adds up the fastest times.
func (t *lzoTrial) time(n int, do func(i, j int) error) time.Duration {
	const passes, group = 5, 16
	fastest := make([]time.Duration, (n+group-1)/group)
	for range passes {
		for g := range fastest {
			start := time.Now()
			if err := do(g*group, min((g+1)*group, n)); err != nil {
				panic(err)
			}
			if d := time.Since(start); fastest[g] == 0 || d < fastest[g] {
				fastest[g] = d
			}
		}
	}
	var sum time.Duration
	for _, d := range fastest {
		sum += d
	}
	return sum
}

func (t *lzoTrial) ratio() float64 {
	stored := 0
	for _, n := range t.length {
		stored += min(int(n), PageSize)
	}
	return float64(len(t.length)*PageSize) / float64(stored)
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
