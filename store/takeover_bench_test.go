//go:build !race

package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"uzram/internal/offheap"
)

// BenchmarkTakeOver is how long it takes to adopt a device with so many pages
// stored, half of them text, the rest of all kinds, and to write a page then.
func BenchmarkTakeOver(b *testing.B) {
	for _, mib := range []int{16, 256, 1024} {
		b.Run(fmt.Sprintf("stored=%dMiB", mib), func(b *testing.B) {
			d, w, v := newHeldDevice(b, 2)
			setUp(b, d, "lz4", mib<<20/PageSize)
			rng := rand.New(rand.NewPCG(1, 1))
			page := make([]byte, PageSize)
			for i := range int64(mib << 20 / PageSize) {
				kind := textPage + int(i)%2*rng.IntN(3)
				if fillPage(rng, kind, page); kind == textPage {
					randomBytes(rng, page[:rng.IntN(2000)])
				}
				mustWrite(b, d, w.Scratch(0), page, i*PageSize)
			}
			b.ResetTimer()
			for range b.N {
				b.StopTimer()
				left := &copies{arenas: make(map[string]*offheap.Arena)}
				for name, fd := range v.held {
					arena, err := offheap.Open(dupFD(b, fd), purposeOf(name))
					if err != nil {
						b.Fatal(err)
					}
					left.arenas[name[len(testPrefix):]] = arena
				}
				state, err := left.arenas[stateName].Copy()
				if err != nil {
					b.Fatal(err)
				}
				left.arenas[stateName].Close()
				left.arenas[stateName] = state
				b.StartTimer()
				start := time.Now()
				next, err := adoptDevice(w, keeping{}, left)
				if err != nil {
					b.Fatal(err)
				}
				took := time.Since(start)
				mustRead(b, next, w.Scratch(0), page, 0)
				b.StopTimer()
				b.ReportMetric(float64(took.Microseconds()), "µs-last")
				if err := next.Reset(0); err != nil {
					b.Fatal(err)
				}
				next.state.arena.Close()
			}
		})
	}
}
