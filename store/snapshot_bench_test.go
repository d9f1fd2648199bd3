//go:build !race

package store

import (
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"uzram/internal/blockfile"
	"uzram/internal/offheap"
)

// BenchmarkSnapshotOfBlocks saves a disk that lies on a backing file as a whole, and
// says how many times as long the same blocks take one after the other.
func BenchmarkSnapshotOfBlocks(b *testing.B) {
	const pages = 64 << 20 / PageSize
	for name, compressed := range map[string]bool{"pages": false, "compressed": true} {
		b.Run(name, func(b *testing.B) {
			d, w := newDeviceOn(b, 1, 0, "lz4")
			path := filepath.Join(b.TempDir(), "backing")
			if err := errors.Join(blockfile.New(path, pages*PageSize), d.SetBackingDev(path), d.SetCompressedWriteback(compressed)); err != nil {
				b.Fatal(err)
			}
			setUp(b, d, "lz4", pages)
			rng := newRand(b)
			for i := range int64(pages) {
				mustWrite(b, d, w.Scratch(0), pageOf(rng, textPage), i*PageSize)
			}
			mustWriteback(b, d, everyPage(pages))
			arena, err := offheap.New(offheap.Scratch, PageSize, PageSize)
			if err != nil {
				b.Fatal(err)
			}
			defer arena.Close()
			l := d.live.Load()
			b.SetBytes(pages * PageSize)
			var alone, saved time.Duration
			for b.Loop() {
				start := time.Now()
				if err := d.Snapshot("", io.Discard, noAbort); err != nil {
					b.Fatal(err)
				}
				saved += time.Since(start)
				b.StopTimer()
				start = time.Now()
				for i := range uint64(pages) {
					if _, err := l.backing.ReadAt(arena.Data()[:PageSize], int64(l.table.load(i).block())*PageSize); err != nil {
						b.Fatal(err)
					}
				}
				alone += time.Since(start)
				b.StartTimer()
			}
			b.ReportMetric(alone.Seconds()/saved.Seconds(), "x-one-by-one")
		})
	}
}
