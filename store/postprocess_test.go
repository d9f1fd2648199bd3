package store

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// A reset ends the run that goes on and the one that waits for its turn, after
// the page at work.
func TestResetEndsRuns(t *testing.T) {
	const pages = 3 * slotsPerStretch
	hook := newHooked(t, "zstd")
	d, w := newSecondaryDevice(t, 1, pages, "lz4", []string{hook.Name()}, hook)
	s, rng := w.Scratch(0), newRand(t)
	for i := range int64(pages) {
		mustWrite(t, d, s, symbolPage(rng), i*PageSize)
	}
	var compressed atomic.Int64
	working, goOn := make(chan struct{}), make(chan struct{})
	hook.compress = func() {
		switch n := compressed.Add(1); {
		case n == slotsPerStretch+1:
			close(working)
			fallthrough
		case n > slotsPerStretch:
			<-goOn
		}
	}
	first, second := make(chan error), make(chan error)
	go func() {
		_, err := d.Recompress(RecompressRequest{})
		first <- err
	}()
	<-working
	queued := make(chan struct{})
	go func() {
		second <- d.postProcess(func(*live) error {
			close(queued)
			return nil
		}, func(*live) error {
			t.Error("a second run has its turn")
			return nil
		})
	}()
	<-queued

	// What looks at the settings, or changes them, does not wait for the run.
	d.SetMemLimit(1 << 30)
	d.Algorithm()
	l := d.live.Load()
	if st := d.Stats(); st.HugePages != pages-slotsPerStretch {
		t.Errorf("%d huge pages after a stretch of %d of %d", st.HugePages, slotsPerStretch, pages)
	}

	reset := make(chan error)
	go func() { reset <- d.Reset(0) }()
	<-l.post.stop
	if err := <-second; !errors.Is(err, ErrResetting) {
		t.Errorf("the run that waited ended with %v", err)
	}
	select {
	case <-reset:
		t.Error("reset while a page is at work")
	case <-time.After(20 * time.Millisecond):
	}
	close(goOn)
	if err := <-first; !errors.Is(err, ErrResetting) {
		t.Errorf("the run ended with %v", err)
	}
	if err := <-reset; err != nil {
		t.Error(err)
	}
	if n := compressed.Load(); n > slotsPerStretch+maxPassCrew {
		t.Errorf("%d pages were worked on", n)
	}
	if d.RecompAlgorithm(1) != "" {
		t.Error("the secondary algorithm outlived the reset")
	}
}

// Other passes have their turn while a run goes on, not only after it.
func TestPassesBetweenStretches(t *testing.T) {
	const pages = 10 * slotsPerStretch
	hook := newHooked(t, "zstd")
	d, w := newSecondaryDevice(t, 1, pages, "lz4", []string{hook.Name()}, hook)
	s, rng := w.Scratch(0), newRand(t)
	page := symbolPage(rng)
	for i := range int64(pages) {
		mustWrite(t, d, s, page, i*PageSize)
	}
	begun := make(chan struct{})
	var compressed atomic.Int64
	var passed atomic.Bool
	hook.compress = func() {
		n := compressed.Add(1)
		if n == 1 {
			close(begun)
		}
		if n > pages/2 && !passed.Load() { // a busy machine lets the run get far before the passes ask
			time.Sleep(2 * time.Millisecond)
		}
		time.Sleep(100 * time.Microsecond)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := d.Recompress(RecompressRequest{})
		ended <- err
	}()
	<-begun
	check(t, d)
	if err := d.MarkIdle(); err != nil {
		t.Error(err)
	}
	if n := compressed.Load(); n == pages {
		t.Error("a check and a marking waited for the whole run")
	}
	passed.Store(true)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A check sees a mark that stands although no run goes on, and an algorithm that
// there is not.
func TestCheckFindsPostProcessing(t *testing.T) {
	d, w := newSecondaryDevice(t, 1, 2, "lz4", []string{"zstd"})
	s, rng := w.Scratch(0), newRand(t)
	for i := range int64(2) {
		mustWrite(t, d, s, symbolPage(rng), i*PageSize)
	}
	mustRecompress(t, d, RecompressRequest{})
	slots := d.live.Load().table.slots
	slots[0].aux.Or(postMark)
	slots[1].word.Or(3 << priorityShift)
	r, err := d.Check()
	if err != nil || len(r.Findings) != 2 {
		t.Errorf("findings %q, %v", r.Findings, err)
	}
	_, err = d.ReadAt(s, make([]byte, PageSize), PageSize)
	if !errors.Is(err, ErrCorruptPage) {
		t.Errorf("a page of an algorithm that there is not: %v", err)
	}
	slots[0].aux.And(^uint32(postMark))
	slots[1].word.And(^uint64(2 << priorityShift))
}
