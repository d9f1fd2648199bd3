//go:build failpoints || invariants || race

package store

import (
	"bytes"
	"syscall"
	"testing"

	"uzram/internal/failpoint"
)

// TestInjectedFaults: what each injected fault does to a request, and that the
// page is as it was.
func TestInjectedFaults(t *testing.T) {
	d, w, _ := newBackedDevice(t, 1, 8, 64, false)
	s := w.Scratch(0)
	rng := newRand(t)
	page, other, got := make([]byte, PageSize), make([]byte, PageSize), make([]byte, PageSize)
	fillPage(rng, textPage, page)
	fillPage(rng, halfPage, other)
	read := func() error { _, err := d.ReadAt(s, got, 0); return err }
	write := func() error { _, err := d.WriteAt(s, other, 0); return err }
	out := func() error { _, err := d.Writeback(WritebackRequest{Pages: []PageRange{{0, 0}}}); return err }
	recompress := func() error { _, err := d.Recompress(RecompressRequest{}); return err }
	for _, tt := range []struct {
		orders string
		do     func() error
		want   syscall.Errno
		out    bool // the page is on the backing device before
	}{
		{"compress=error", write, syscall.EIO, false},
		{"decompress=error", read, syscall.EIO, false},
		{"decompress=error", out, syscall.EIO, false},
		{"decompress=error", recompress, syscall.EIO, false},
		{"compress=error", recompress, syscall.EIO, false},
		{"backing-write=error:ENOSPC", out, syscall.ENOSPC, false},
		{"backing-read=error", read, syscall.EIO, true},
	} {
		mustWrite(t, d, s, page, 0)
		if tt.out {
			if err := out(); err != nil {
				t.Fatal(err)
			}
		}
		if err := failpoint.Set(tt.orders); err != nil {
			t.Fatal(err)
		}
		err := tt.do()
		if clear := failpoint.Set(""); clear != nil {
			t.Fatal(clear)
		}
		wantErrno(t, tt.orders, err, tt.want)
		if err := read(); err != nil || !bytes.Equal(got, page) {
			t.Errorf("after %s: %v, the page is as it was: %v", tt.orders, err, bytes.Equal(got, page))
		}
		check(t, d)
	}
}
