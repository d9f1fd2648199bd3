//go:build invariants || race

package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// Memory runs out at each point of a take-over in turn: it is ENOMEM, nothing stays
// behind, and the next one finds all as it was.
func TestShortageWhileTakingOver(t *testing.T) {
	d, w, v := newHeldDevice(t, 2)
	d.SetMemoryLocked(true)
	b := newMemBacking(64)
	d.openFile = func(string) (Backing, error) { return b, nil }
	for _, set := range []func() error{
		func() error { return d.SetRecompAlgorithm(1, "zstd") },
		func() error { return d.SetWritebackEncryption(true) },
		func() error { return d.SetBackingDev("/memory") },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	setUp(t, d, "lz4", 4*pageKinds)
	disk := fillDisk(t, d, w.Scratch(0), newRand(t))
	mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{0, 2 * pageKinds}}})
	for n := int64(0); ; n++ {
		left, err := leave(v, d)
		if err != nil {
			t.Fatal(err)
		}
		failFrom(t, n)
		next, nv, err := left.successor(w)
		offheap.InjectShortage(nil)
		if err == nil {
			if n < 10 {
				t.Errorf("taken over after %d requests for memory", n)
			}
			wantDisk(t, next, w.Scratch(0), disk)
			check(t, next)
			if err := retire(next, nv); err != nil {
				t.Error(err)
			}
			return
		}
		wantErrno(t, "take-over", err, syscall.ENOMEM)
		if len(nv.names()) != 5 {
			t.Fatalf("after failure %d the vault has %q", n, nv.names())
		}
		for _, name := range nv.names() {
			nv.Drop(testPrefix + name)
		}
	}
}

// A device that cannot be kept for want of memory is as it was.
func TestShortageOfAStateArena(t *testing.T) {
	for n := int64(0); ; n++ {
		d, v := NewDevice(newWorkers(t, 1)), new(testVault)
		failFrom(t, n)
		err := d.SetVault(v, testPrefix)
		offheap.InjectShortage(nil)
		if err == nil {
			if n < 3 {
				t.Errorf("kept after %d requests for memory", n)
			}
			if err := retire(d, v); err != nil {
				t.Error(err)
			}
			return
		}
		wantErrno(t, "keeping", err, syscall.ENOMEM)
		wantNames(t, v, "")
	}
}

// farBacking has a path that few records have room for.
type farBacking struct{ *memBacking }

func (farBacking) Path() string { return strings.Repeat("/far", PageSize) }
func (farBacking) FD() int      { return -1 }

// Where a longer record needs memory that there is not, the setting stays, and a
// shorter one is no problem.
func TestShortageForASetting(t *testing.T) {
	d, w, v := newHeldDevice(t, 1)
	path := filepath.Join(t.TempDir(), "dict")
	if err := os.WriteFile(path, bytes.Repeat([]byte("dictionary"), 6000), 0o600); err != nil {
		t.Fatal(err)
	}
	failFrom(t, 0)
	wantErrno(t, "a dictionary", d.SetParams(ParamsRequest{DictPath: path}), syscall.ENOMEM)
	d.openFile = func(string) (Backing, error) { return farBacking{newMemBacking(8)}, nil }
	wantErrno(t, "a long path", d.SetBackingDev("far"), syscall.ENOMEM)
	wantNames(t, v, "state")
	if err := errors.Join(d.SetMemLimit(1<<40), d.SetAlgorithm("zstd"), d.Reset(0)); err != nil {
		t.Error(err)
	}
	offheap.InjectShortage(nil)
	if next := takenOver(t, d, w, v); len(next.settings.params[0].Dict) > 0 {
		t.Error("the dictionary is there")
	}
}
