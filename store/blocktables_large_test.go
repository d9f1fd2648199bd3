//go:build !race

package store

import (
	"errors"
	"testing"
)

// A backing device as large as can be, with all that is known of a block, costs
// little until it is used. Under the race detector it would be heap.
func TestLargestBackingDevice(t *testing.T) {
	d, _ := newDeviceOn(t, 1, 0, "lz4")
	d.openFile = func(string) (Backing, error) { return sparseBacking{1 << 44}, nil }
	d.SetMemoryLocked(true)
	if err := errors.Join(d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetWritebackEncryption(true), d.SetBackingDev("/sparse")); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", 4)
	b := d.live.Load().backing
	if b.blocks != maxBlocks {
		t.Errorf("%d blocks, want %d", b.blocks, uint64(maxBlocks))
	}
	if list, err := b.take(make([]uint64, 1)); err != nil || len(list) != 1 {
		t.Errorf("blocks %v, %v", list, err)
	}
	if n := d.Stats().BackingMeta; n > 8<<20 {
		t.Errorf("%d bytes", n)
	}
	b.give(0)
	check(t, d)
}
