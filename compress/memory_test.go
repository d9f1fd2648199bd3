//go:build !race

package compress

// The race detector makes sync.Pool drop what it holds, and shadows the heap:
// what is counted and measured here has no meaning under it.

import (
	"fmt"
	"runtime"
	"testing"
)

// TestStream_NoAllocation counts heap allocations over every kind of page, in
// both directions, with room to spare and without.
func TestStream_NoAllocation(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			dst, small := make([]byte, DstSize(PageSize)), make([]byte, PageSize/4)
			back := make([]byte, PageSize)
			for k, kind := range pageKinds {
				page := makePage(k, PageSize, 5)
				n, err := s.Compress(dst, page)
				if err != nil {
					t.Fatal(err)
				}
				good := dst[:n]
				out := make([]byte, DstSize(PageSize))
				count(t, 0, kind.name+", compress", func() { _, err = s.Compress(out, page) })
				if err != nil {
					t.Fatal(err)
				}
				count(t, 0, kind.name+", compress into little room", func() { _, _ = s.Compress(small, page) })
				count(t, 0, kind.name+", decompress", func() { err = s.Decompress(back, good) })
				if err != nil {
					t.Fatal(err)
				}
				// A library may box the error that we replace.
				count(t, 1, kind.name+", decompress cut input", func() { _ = s.Decompress(back, good[:n/2]) })
			}
		})
	}
}

func count(t *testing.T, limit float64, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(20, f); n > limit {
		t.Errorf("%s: %v allocations per page, want %v", what, n, limit)
	}
}

// TestStream_MemoryUsage holds the figure against the heap.
func TestStream_MemoryUsage(t *testing.T) {
	for _, v := range variants() {
		for _, n := range []int{PageSize, maxPage} {
			t.Run(fmt.Sprintf("%v/page=%d", v, n), func(t *testing.T) {
				c, _ := Lookup(v.codec)
				dst, page := make([]byte, DstSize(n)), makePage(kindText, n, 6)
				before := liveHeap()
				s, err := c.NewStream(v.params)
				if err != nil {
					t.Fatal(err)
				}
				m, err := s.Compress(dst, page)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Decompress(page, dst[:m]); err != nil {
					t.Fatal(err)
				}
				real, said := liveHeap()-before, s.MemoryUsage()
				runtime.KeepAlive(dst)
				runtime.KeepAlive(page)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				t.Logf("%d KiB, said to be %d", real>>10, said>>10)
				if slack := real/8 + 16<<10; said < real-slack || said > real+slack {
					t.Errorf("MemoryUsage() = %d, but the heap grew by %d", said, real)
				}
			})
		}
	}
}

// TestDecompressor_MemoryUsage holds the figure of what only reads against the
// heap, for the pages of a device.
func TestDecompressor_MemoryUsage(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			c, s := v.codec, v.open(t)
			codec, _ := Lookup(c)
			dst, page := make([]byte, DstSize(PageSize)), makePage(kindText, PageSize, 6)
			n, err := s.Compress(dst, page)
			if err != nil {
				t.Fatal(err)
			}
			before := liveHeap()
			d, err := NewDecompressor(codec, v.params, s)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Decompress(page, dst[:n]); err != nil {
				t.Fatal(err)
			}
			real, said := liveHeap()-before, d.MemoryUsage()
			runtime.KeepAlive(dst)
			runtime.KeepAlive(page)
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d KiB, said to be %d", real>>10, said>>10)
			if slack := real/8 + 16<<10; said < real-slack || said > real+slack {
				t.Errorf("MemoryUsage() = %d, but the heap grew by %d", said, real)
			}
		})
	}
}

// liveHeap returns the bytes of reachable objects.
func liveHeap() int {
	runtime.GC()
	runtime.GC() // the first one only moves what sync.Pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
