//go:build !race

package store

import "testing"

// The race detector makes sync.Pool drop what libraries keep in it.

// Reading a recompressed page allocates as little as reading any other.
func TestNothingIsAllocatedByRecompressedPages(t *testing.T) {
	for _, secondary := range []string{"deflate", "zstd"} {
		d, w := newSecondaryDevice(t, 1, 1, "lz4", []string{secondary})
		s, page := w.Scratch(0), symbolPage(newRand(t))
		mustWrite(t, d, s, page, 0)
		if r := mustRecompress(t, d, RecompressRequest{}); r.Replaced != 1 {
			t.Fatalf("%s: %+v", secondary, r)
		}
		if n := testing.AllocsPerRun(100, func() { mustRead(t, d, s, page, 0) }); n != 0 {
			t.Errorf("%s: %v allocations in a read", secondary, n)
		}
	}
}
