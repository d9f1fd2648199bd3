package store

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sync/atomic"
	"syscall"
)

// Backing is where pages are written back to. Offsets, lengths and addresses are
// multiples of PageSize; I/O may be concurrent. Errors carry an errno.
type Backing interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Path() string
	Size() int64
}

// backing is a device's backing device, in blocks of PageSize bytes.
//
// INVARIANT S5: a block's bit is set if and only if a slot names the block, or a
// writeback under way has taken it. Only writeback takes blocks, one run at a
// time; whoever empties a slot gives its block back, at any time.
type backing struct {
	Backing
	blocks uint64
	taken  []atomic.Uint64 // a bit for each block
	first  atomic.Uint64   // no block below is free
	used   atomic.Int64    // blocks
	reads  atomic.Uint64   // blocks read, ever
	writes atomic.Uint64   // blocks written, ever
}

// maxBlocks is what a commit word can tell apart.
const maxBlocks = (placeMask + 1) * placeUnit / PageSize

func newBacking(b Backing) *backing {
	blocks := min(uint64(b.Size())/PageSize, maxBlocks)
	return &backing{Backing: b, blocks: blocks, taken: make([]atomic.Uint64, (blocks+63)/64)}
}

// take takes up to len(list) free blocks, the lowest, and returns those. Next to
// a give the lowest may be missed, but a free block is never taken for none.
func (b *backing) take(list []uint64) []uint64 {
	start := b.first.Load()
	n := b.takeFrom(start/64, uint64(len(b.taken)), list)
	if n < len(list) {
		n += b.takeFrom(0, start/64, list[n:])
	}
	b.used.Add(int64(n))
	if n > 0 {
		b.first.CompareAndSwap(start, list[0])
	}
	return list[:n]
}

// takeFrom takes free blocks out of words [word, end).
func (b *backing) takeFrom(word, end uint64, list []uint64) (n int) {
	for ; word < end; word++ {
		for free := ^b.taken[word].Load(); free != 0; free &= free - 1 {
			block := word*64 + uint64(bits.TrailingZeros64(free))
			if block >= b.blocks || n == len(list) {
				return n
			}
			b.taken[word].Or(free & -free)
			list[n] = block
			n++
		}
	}
	return n
}

// give gives a block back.
func (b *backing) give(block uint64) {
	b.taken[block/64].And(^(uint64(1) << (block % 64)))
	b.used.Add(-1)
	for {
		first := b.first.Load()
		if first <= block || b.first.CompareAndSwap(first, block) {
			return
		}
	}
}

func (b *backing) isTaken(block uint64) bool {
	return block < b.blocks && b.taken[block/64].Load()&(1<<(block%64)) != 0
}

// read fills p with a block. The error carries EIO.
func (b *backing) read(p []byte, block uint64) error {
	b.reads.Add(1)
	if _, err := b.ReadAt(p[:PageSize], int64(block)*PageSize); err != nil {
		return fmt.Errorf("%w (block %d of %s: %v)", ErrBacking, block, b.Path(), err)
	}
	return nil
}

// write writes consecutive blocks. The error carries the errno of the write, or
// EIO.
func (b *backing) write(p []byte, block uint64) error {
	_, err := b.WriteAt(p, int64(block)*PageSize)
	if err == nil {
		b.writes.Add(uint64(len(p) / PageSize))
		return nil
	}
	errno := syscall.EIO
	errors.As(err, &errno)
	return fmt.Errorf("block %d of %s: %w (%v)", block, b.Path(), errno, err)
}
