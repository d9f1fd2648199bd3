package alloc

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// tableWord is a commit word as a device has it: handle below, size above.
func tableWord(h Handle, size int) uint64 { return uint64(size)<<HandleBits | uint64(h) }

// benchTable fills a pool of about 100k pages as 1 GiB of disk does, with a
// quarter written again at random, and returns the words that name its objects,
// 16 bytes apart like slots.
func benchTable(b *testing.B) (*Pool, [][2]uint64) {
	const slots = 1 << 18
	p, err := New(slots, 1<<40, 2)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.Close)
	rng := rand.New(rand.NewPCG(1, 2))
	table := make([][2]uint64, slots)
	put := func(i int) {
		size := min(PageSize, 200+int(rng.ExpFloat64()*1250))
		h, err := p.Alloc(0, size, uint64(i))
		if err != nil {
			b.Fatal(err)
		}
		if old := table[i][0]; old != 0 {
			p.Free(0, Handle(old&(1<<HandleBits-1)))
		}
		table[i][0] = tableWord(h, size)
	}
	for i := range table {
		put(i)
	}
	for range slots / 4 {
		put(rng.IntN(slots))
	}
	return p, table
}

// walk calls claim for each object in the table, with all CPUs.
func walk(table [][2]uint64, claim func(owner uint64, h Handle, size int) error) (failed bool) {
	const each = 4096
	var next atomic.Int64
	var bad atomic.Bool
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				from := int(next.Add(each)) - each
				if from >= len(table) {
					return
				}
				for i, s := range table[from:min(from+each, len(table))] {
					if err := claim(uint64(from+i), Handle(s[0]&(1<<HandleBits-1)), int(s[0]>>HandleBits)); err != nil {
						bad.Store(true)
					}
				}
			}
		})
	}
	wg.Wait()
	return bad.Load()
}

// What an adoption adds to walking the slot table, which its caller must do
// anyway: 1 GiB stored, about 100k pages of pool.
func BenchmarkAdopt(b *testing.B) {
	p, table := benchTable(b)
	b.Run("walk", func(b *testing.B) {
		for b.Loop() {
			walk(table, func(owner uint64, h Handle, size int) error {
				if size > PageSize || h == 0 || owner > uint64(len(table)) {
					b.Error("a word that is none")
				}
				return nil
			})
		}
	})
	b.Run("rebuild", func(b *testing.B) {
		var adopt, claim, finish time.Duration
		for b.Loop() {
			t0 := time.Now()
			a, err := Adopt(p.Arena(), 2)
			if err != nil {
				b.Fatal(err)
			}
			t1 := time.Now()
			if walk(table, a.Claim) {
				b.Fatal("refused")
			}
			t2 := time.Now()
			q, err := a.Finish()
			if err != nil {
				b.Fatal(err)
			}
			t3 := time.Now()
			adopt, claim, finish = adopt+t1.Sub(t0), claim+t2.Sub(t1), finish+t3.Sub(t2)
			b.StopTimer()
			if q.Pages() != p.Pages() {
				b.Fatalf("%d pages, were %d", q.Pages(), p.Pages())
			}
			q.end()
			b.StartTimer()
		}
		b.ReportMetric(float64(p.Pages()), "pages")
		for name, d := range map[string]time.Duration{"adopt": adopt, "claims": claim, "finish": finish} {
			b.ReportMetric(float64(d.Microseconds())/float64(b.N), name+"-us")
		}
	})
	b.Run("settle", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			a, err := Adopt(p.Arena(), 2)
			if err != nil {
				b.Fatal(err)
			}
			walk(table, a.Claim)
			q, err := a.Finish()
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			q.Settle()
			b.StopTimer()
			q.end()
			b.StartTimer()
		}
	})
}

// end is Close but for the data arena.
func (p *Pool) end() {
	if s := p.settling.Load(); s != nil {
		s.end()
	}
	close(p.runs.wake)
	<-p.refilled
	p.closeTables()
}
