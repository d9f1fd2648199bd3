package store

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
)

// memBacking is a backing device in memory that fails and waits as told. It
// refuses I/O that is not in whole blocks.
type memBacking struct {
	mu   sync.Mutex
	data []byte
	rng  *rand.Rand // with rate; nil = no failures
	rate int        // how many of 1000 requests fail

	fail    func(write bool, block, n uint64) error // if not nil: what becomes of a request
	writing func(block, n uint64)                   // if not nil: called before a write is done
	closed  bool
}

func newMemBacking(blocks int) *memBacking { return &memBacking{data: make([]byte, blocks*PageSize)} }

func (b *memBacking) Path() string { return "/memory" }

func (b *memBacking) Size() int64 { return int64(len(b.data)) }

func (b *memBacking) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

func (b *memBacking) ReadAt(p []byte, off int64) (int, error) { return b.transfer(false, p, off) }

func (b *memBacking) WriteAt(p []byte, off int64) (int, error) {
	if b.writing != nil {
		b.writing(uint64(off)/PageSize, uint64(len(p))/PageSize)
	}
	return b.transfer(true, p, off)
}

func (b *memBacking) transfer(write bool, p []byte, off int64) (int, error) {
	if len(p) == 0 || len(p)%PageSize != 0 || off%PageSize != 0 || off+int64(len(p)) > int64(len(b.data)) {
		return 0, fmt.Errorf("%d bytes at %d of %d: %w", len(p), off, len(b.data), syscall.EINVAL)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, syscall.EBADF
	}
	if b.rng != nil && b.rng.IntN(1000) < b.rate {
		return 0, syscall.EIO
	}
	if b.fail != nil {
		if err := b.fail(write, uint64(off)/PageSize, uint64(len(p))/PageSize); err != nil {
			return 0, err
		}
	}
	if write {
		return copy(b.data[off:], p), nil
	}
	return copy(p, b.data[off:]), nil
}

// newBackedDevice is a device of a crew of n on lz4, with zstd for recompression
// and a backing device in memory.
func newBackedDevice(t testing.TB, n, pages, blocks int, compressed bool) (*Device, *Workers, *memBacking) {
	t.Helper()
	d, w := newDeviceOn(t, n, 0, "lz4", wrappedCodecs()...)
	b := newMemBacking(blocks)
	d.openFile = func(string) (Backing, error) { return b, nil }
	for _, set := range []func() error{
		func() error { return d.SetBackingDev("/memory") },
		func() error { return d.SetCompressedWriteback(compressed) },
		func() error { return d.SetRecompAlgorithm(1, "zstd") },
	} {
		if err := set(); err != nil {
			t.Fatal(err)
		}
	}
	setUp(t, d, chosen(t, "lz4"), pages)
	return d, w, b
}

func mustWriteback(t testing.TB, d *Device, r WritebackRequest) WritebackResult {
	t.Helper()
	result, err := d.Writeback(r)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	return result
}
