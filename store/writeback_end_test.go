package store

import (
	"syscall"
	"testing"
)

// Where nothing can be written the run ends early, and the pages that it did not
// come to keep their marks.
func TestWritebackGivesUp(t *testing.T) {
	const pages = 2 * slotsPerStretch
	d, w, b := newBackedDevice(t, 1, pages, pages, false)
	page := pageOf(newRand(t), textPage)
	for i := range int64(pages) {
		mustWrite(t, d, w.Scratch(0), page, i*PageSize)
	}
	if err := d.MarkIdle(); err != nil {
		t.Fatal(err)
	}
	b.fail = func(bool, uint64, uint64) error { return syscall.ENOSPC }
	r, err := d.Writeback(WritebackRequest{Idle: true})
	wantErrno(t, "a device that takes nothing", err, syscall.ENOSPC)
	if want := (WritebackResult{Tried: slotsPerStretch, Failed: slotsPerStretch}); r != want || d.Stats().BackingUsed != 0 {
		t.Errorf("%+v, %d blocks in use", r, d.Stats().BackingUsed)
	}
	check(t, d)
	b.fail = nil
	if r := mustWriteback(t, d, WritebackRequest{Idle: true}); r.Written != pages-slotsPerStretch {
		t.Errorf("%+v", r)
	}
}

// A check beside a run does not see blocks that the run has and nobody names.
func TestCheckBesideWriteback(t *testing.T) {
	const pages = 500
	d, w, _ := newBackedDevice(t, 1, pages, pages, false)
	s, page := w.Scratch(0), pageOf(newRand(t), textPage)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			for i := range int64(pages) {
				d.WriteAt(s, page, i*PageSize)
			}
			d.Writeback(everyPage(pages))
		}
	}()
	for {
		select {
		case <-done:
			check(t, d)
			return
		default:
			check(t, d)
		}
	}
}
