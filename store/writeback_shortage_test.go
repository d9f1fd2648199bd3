//go:build invariants || race

package store

import (
	"bytes"
	"errors"
	"syscall"
	"testing"

	"uzram/internal/offheap"
)

// Without memory for its tables the backing device takes no more blocks than it
// has; that ends the run, and loses nothing.
func TestShortageWhileWritingBack(t *testing.T) {
	const pages, blocks = 300, 300
	d, w, _ := newBackedDevice(t, 1, pages, blocks, false)
	s, rng := w.Scratch(0), newRand(t)
	var disk []byte
	for range pages {
		disk = append(disk, pageOf(rng, textPage)...)
	}
	mustWrite(t, d, s, disk, 0)
	d.SetWritebackLimit(pages)
	d.SetWritebackLimited(true)
	failFrom(t, 0)
	r, err := d.Writeback(everyPage(pages))
	offheap.InjectShortage(nil)
	wantErrno(t, "writeback", err, syscall.ENOMEM)
	if r != (WritebackResult{}) || d.WritebackLimit() != pages {
		t.Errorf("%+v, %d blocks are left of the limit", r, d.WritebackLimit())
	}
	check(t, d)
	if r := mustWriteback(t, d, everyPage(pages)); r.Written != pages {
		t.Errorf("%+v", r)
	}
	check(t, d)
	got := make([]byte, len(disk))
	if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
		t.Error("the disk differs")
	}
}

// Memory runs out at each point of setting up with a backing device: it is
// ENOMEM, and the next attempt has the same backing device.
func TestShortageWhileSettingUpBacking(t *testing.T) {
	for _, encrypt := range []bool{false, true} {
		d, _ := newDeviceOn(t, 1, 0, "lz4")
		b := newMemBacking(100)
		d.openFile = func(string) (Backing, error) { return b, nil }
		d.SetMemoryLocked(true)
		if err := errors.Join(d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetWritebackChecksum(true),
			d.SetWritebackEncryption(encrypt), d.SetBackingDev("/memory")); err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for ; ; n++ {
			failFrom(t, n)
			err := d.SetDisksize(1 << 20)
			offheap.InjectShortage(nil)
			if err == nil {
				break
			}
			wantErrno(t, "disksize", err, syscall.ENOMEM)
			if d.Initialised() || d.BackingDev() != "/memory" || b.closed || n > 100 {
				t.Fatalf("after failure %d: %v, backing device %q, closed %v", n, d.Initialised(), d.BackingDev(), b.closed)
			}
		}
		if n < 10 {
			t.Errorf("set up after %d requests for memory", n)
		}
		if err := d.Reset(0); err != nil || !b.closed {
			t.Errorf("reset: %v, closed %v", err, b.closed)
		}
	}
}
