package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What was set is shown, and outlives a reset, but for the backing device.
func TestWritebackSettings(t *testing.T) {
	d, _ := newDeviceOn(t, 1, 0, "lz4")
	if d.WritebackBatch() != defaultBatch || d.CompressedWriteback() || d.WritebackPack() || d.WritebackChecksum() || d.WritebackLimited() {
		t.Error("a fresh device has other settings than the kernel's")
	}
	wantErrno(t, "a batch of none", d.SetWritebackBatch(0), syscall.EINVAL)
	if err := errors.Join(
		d.SetWritebackBatch(5), d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetWritebackChecksum(true),
	); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "backing")
	if err := os.WriteFile(file, make([]byte, 3*PageSize+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := d.SetBackingDev(file); err != nil || d.BackingDev() != file {
		t.Errorf("%q, %v", d.BackingDev(), err)
	}
	wantErrno(t, "ready before set-up", d.WritebackReady(), syscall.EINVAL)
	setUp(t, d, "lz4", 1)
	if err := d.WritebackReady(); err != nil {
		t.Error(err)
	}
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	if d.WritebackBatch() != 5 || !d.CompressedWriteback() || !d.WritebackPack() || !d.WritebackChecksum() || d.BackingDev() != "" {
		t.Error("a reset did not keep what the kernel keeps, or kept the backing device")
	}
	setUp(t, d, "lz4", 1)
	wantErrno(t, "ready without backing device", d.WritebackReady(), syscall.ENODEV)
}

// A page that does not decode stays where it is, and the rest goes.
func TestWritebackOfACorruptPage(t *testing.T) {
	d, w, _ := newBackedDevice(t, 1, 3, 3, false)
	s, rng := w.Scratch(0), newRand(t)
	for i := range int64(3) {
		mustWrite(t, d, s, pageOf(rng, textPage), i*PageSize)
	}
	slots := d.live.Load().table.slots
	slots[1].word.Or(2 << priorityShift) // an algorithm that there is not
	r, err := d.Writeback(everyPage(3))
	if !errors.Is(err, ErrCorruptPage) || r.Failed != 1 || r.Written != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	slots[1].word.And(^uint64(2 << priorityShift))
	check(t, d)
}

// A block that pages share is given back by a page that was used meanwhile.
func TestPackedWritebackIsOvertaken(t *testing.T) {
	d, w := newDeviceOn(t, 1, 0, "lz4")
	b := newMemBacking(4)
	d.openFile = func(string) (Backing, error) { return b, nil }
	if err := errors.Join(d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetBackingDev("/memory")); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", 3)
	s, rng := w.Scratch(0), newRand(t)
	page := pageOf(rng, textPage)
	for i := range int64(3) {
		mustWrite(t, d, s, page, i*PageSize)
	}
	b.writing = func(uint64, uint64) { d.ReadAt(s, make([]byte, PageSize), PageSize) }
	if r := mustWriteback(t, d, everyPage(3)); r.Overtaken != 1 || r.Written != 2 || r.Blocks != 1 {
		t.Errorf("%+v", r)
	}
	check(t, d)
	for i := range int64(3) {
		wantPage(t, d, s, i, page)
	}
}
