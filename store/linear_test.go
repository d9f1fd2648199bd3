package store

import (
	"flag"
	"runtime"
	"testing"
	"time"
)

var linearOps = flag.Int("store.linear-ops", 8000, "operations of the linearizability test, for each codec")

// newContest sets a device up on a codec that is wrapped as said.
func newContest(t *testing.T, wrapping string, workers, pages int) *contest {
	t.Helper()
	rng := newRand(t)
	o := options{algorithm: "lz4", secondary: []string{"zstd"}, wrapping: wrapping}
	codecs := o.codecs(rng.Uint64())
	d, crew := newSecondaryDevice(t, workers, pages+coldPages, codecs[0].Name(), []string{codecs[1].Name()}, codecs...)
	setRate(codecs, 50)
	c := &contest{dev: d, disk: d, crew: crew, pages: pages, seed: rng.Uint64(), start: time.Now()}
	c.failing = wrapping == "-failing"
	return c
}

// Readers, writers of whole pages and of parts, discards and free hints on a few
// hot pages, with compaction, recompression, idle marking and checks beside them: each
// page is linearizable. More threads than processors, so that they are stopped
// anywhere.
func TestPagesAreLinearizable(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	const workers, pages = 4, 3
	for _, wrapping := range []string{"", "-waiting", "-slow", "-failing"} {
		t.Run("lz4"+wrapping, func(t *testing.T) {
			c := newContest(t, wrapping, workers, pages)
			defer besides(t, c.dev)()
			for c.operations < *linearOps {
				if err := c.round(maxRound * pages); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d operations in %d partitions, %d of them overlapped others, %d pages compacted, %v",
				c.operations, c.rounds*pages, c.overlaps, c.dev.Stats().PagesCompacted, time.Since(c.start).Round(time.Millisecond))
			if c.overlaps == 0 {
				t.Error("no two operations on a page overlapped: nothing was tested")
			}
		})
	}
}

// lostUpdate writes a part of a page as a read and a write of the whole.
type lostUpdate struct{ *Device }

func (d lostUpdate) WriteAt(s *Scratch, p []byte, off int64) (int, error) {
	page, at := make([]byte, PageSize), off%PageSize
	if _, err := d.ReadAt(s, page, off-at); err != nil {
		return 0, err
	}
	runtime.Gosched()
	copy(page[at:], p)
	if _, err := d.Device.WriteAt(s, page, off-at); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unlockedReader reads a page in two steps, so that a write may come between.
type unlockedReader struct{ *Device }

func (d unlockedReader) ReadAt(s *Scratch, p []byte, off int64) (int, error) {
	half := len(p) / 2 / sectorSize * sectorSize
	n, err := d.Device.ReadAt(s, p[:half], off)
	if err != nil {
		return n, err
	}
	runtime.Gosched()
	m, err := d.Device.ReadAt(s, p[half:], off+int64(half))
	return n + m, err
}

// lazyDiscard says that a whole page is discarded, and leaves it.
type lazyDiscard struct{ *Device }

func (d lazyDiscard) Discard(s *Scratch, off, n int64) error {
	if n == PageSize {
		return nil
	}
	return d.Device.Discard(s, off, n)
}

// A device that is not linearizable is found out.
func TestLinearizabilityIsJudged(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant func(*Device) target
	}{
		{"lost update", func(d *Device) target { return lostUpdate{d} }},
		{"unlocked reader", func(d *Device) target { return unlockedReader{d} }},
		{"discard that is not done", func(d *Device) target { return lazyDiscard{d} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			contest := newContest(t, "-waiting", 4, 2)
			contest.disk = c.plant(contest.dev)
			for range 200 {
				if err := contest.round(400); err != nil {
					t.Logf("after %d operations: %.200v ...", contest.operations, err)
					return
				}
			}
			t.Errorf("not found in %d operations, %d of them overlapping", contest.operations, contest.overlaps)
		})
	}
}
