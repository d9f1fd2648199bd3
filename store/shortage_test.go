//go:build invariants || race

package store

import (
	"bytes"
	"sync/atomic"
	"syscall"
	"testing"

	"uzram/internal/offheap"
)

// failFrom makes the n-th request for memory from now, and all after it, fail.
func failFrom(t *testing.T, n int64) {
	t.Helper()
	var asked atomic.Int64
	offheap.InjectShortage(func(offheap.Purpose) error {
		if asked.Add(1) > n {
			return syscall.ENOMEM
		}
		return nil
	})
	t.Cleanup(func() { offheap.InjectShortage(nil) })
}

// Memory runs out at each point of setting up in turn: it is ENOMEM, the device
// is as it was, and nothing of the attempt stays.
func TestShortageWhileSettingUp(t *testing.T) {
	d, _ := newDevice(t, 1, 0)
	if err := d.SetAlgorithm("zstd"); err != nil {
		t.Fatal(err)
	}
	for n := int64(0); ; n++ {
		failFrom(t, n)
		err := d.SetDisksize(1 << 20)
		offheap.InjectShortage(nil)
		if err == nil {
			if n < 5 {
				t.Errorf("set up after %d requests for memory", n)
			}
			return
		}
		wantErrno(t, "disksize", err, syscall.ENOMEM)
		if d.Initialised() || d.Algorithm() != "zstd" || n > 100 {
			t.Fatalf("after failure %d: %v, algorithm %s", n, d.Initialised(), d.Algorithm())
		}
	}
}

func TestShortageOfWorkersBuffers(t *testing.T) {
	for n := int64(0); ; n++ {
		failFrom(t, n)
		_, err := NewWorkers(2)
		offheap.InjectShortage(nil)
		if err == nil {
			if n < 2 {
				t.Errorf("workers after %d requests for memory", n)
			}
			return
		}
		wantErrno(t, "workers", err, syscall.ENOMEM)
	}
}

// Memory runs out while pages are written: EIO to those that need some, and what
// was stored before stays. When there is memory again, all goes on.
func TestShortageWhileWriting(t *testing.T) {
	const pages = 600 // more than a page of the slot table, and of element cells
	for _, kind := range []int{oddElementPage, textPage, randomPage} {
		rng := newRand(t)
		d, w := newDevice(t, 1, pages)
		s := w.Scratch(0)
		shadow := make([]byte, pages*PageSize)
		for n := int64(0); n < 40; n++ {
			failFrom(t, n)
			failed := 0
			for i := int(n) % 7; i < pages; i += 7 {
				page := make([]byte, PageSize)
				fillPage(rng, kind, page)
				off := i * PageSize
				if _, err := d.WriteAt(s, page, int64(off)); err == nil {
					copy(shadow[off:], page)
				} else {
					wantErrno(t, "write", err, syscall.EIO)
					failed++
				}
				part := page[100:200]
				if _, err := d.WriteAt(s, part, int64(off)); err == nil {
					copy(shadow[off:], part)
				} else {
					wantErrno(t, "partial write", err, syscall.EIO)
				}
			}
			offheap.InjectShortage(nil)
			if n == 0 && failed == 0 {
				t.Errorf("kind %d: nothing failed without memory", kind)
			}
			if check(t, d); t.Failed() {
				t.Fatalf("kind %d, shortage %d", kind, n)
			}
			got := make([]byte, len(shadow))
			mustRead(t, d, s, got, 0)
			if !bytes.Equal(got, shadow) {
				t.Fatalf("kind %d, shortage %d: data differ", kind, n)
			}
		}
	}
}
