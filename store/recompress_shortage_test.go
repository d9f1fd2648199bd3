//go:build invariants || race

package store

import (
	"bytes"
	"syscall"
	"testing"

	"uzram/internal/offheap"
)

// Memory runs out at each point of a run: that ends it, and pages are either as
// they were or recompressed.
func TestShortageWhileRecompressing(t *testing.T) {
	const pages = 300
	d, w := newSecondaryDevice(t, 1, pages, "lz4", []string{"zstd"})
	s, rng := w.Scratch(0), newRand(t)
	disk := make([]byte, 0, pages*PageSize)
	for range pages {
		disk = append(disk, symbolPage(rng)...)
	}
	mustWrite(t, d, s, disk, 0)
	got, short, sum := make([]byte, len(disk)), 0, uint64(0)
	for n := int64(0); ; n++ {
		failFrom(t, n)
		r, err := d.Recompress(RecompressRequest{})
		offheap.InjectShortage(nil)
		wantSums(t, r)
		sum += r.Replaced
		check(t, d)
		if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
			t.Fatalf("shortage %d: data differ", n)
		}
		if err == nil {
			break
		}
		wantErrno(t, "recompression", err, syscall.ENOMEM)
		if r.Failed < 1 || r.Failed > maxPassCrew {
			t.Errorf("shortage %d: %+v", n, r)
		}
		short++
	}
	if short == 0 || sum != pages {
		t.Errorf("short of memory %d times, %d pages replaced in all", short, sum)
	}
}
