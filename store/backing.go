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
// time; whoever empties a slot gives its share of a block back, at any time. A
// block that several objects are packed into counts them, and the writeback that
// fills it as one more.
type backing struct {
	Backing
	blocks uint64
	taken  []atomic.Uint64 // a bit for each block
	shares []atomic.Int32  // of each block; nil where a block has one object
	seals  sealer          // nil = none
	first  atomic.Uint64   // no block below is free
	used   atomic.Int64    // blocks
	reads  atomic.Uint64   // blocks read, ever
	writes atomic.Uint64   // blocks written, ever
	bad    atomic.Uint64   // blocks that were not what was written, ever
}

// maxBlocks is what a commit word can tell apart.
const maxBlocks = (placeMask + 1) * placeUnit / PageSize

// newBacking is b with nothing on it.
func newBacking(b Backing, w *writebackSettings) (*backing, error) {
	blocks := min(uint64(b.Size())/PageSize, maxBlocks)
	n := &backing{Backing: b, blocks: blocks, taken: make([]atomic.Uint64, (blocks+63)/64)}
	if w.packs() {
		n.shares = make([]atomic.Int32, blocks)
	}
	var err error
	switch {
	case w.encrypt.Load():
		n.seals, err = newEncryption(blocks)
	case w.checksum.Load():
		n.seals = make(checksums, blocks)
	}
	return n, err
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
			if b.shares != nil {
				b.shares[block].Store(1)
			}
			list[n] = block
			n++
		}
	}
	return n
}

// share counts one more object in a block that the caller has taken.
func (b *backing) share(block uint64) {
	if b.shares != nil {
		b.shares[block].Add(1)
	}
}

// give gives a block back, or one share of it.
func (b *backing) give(block uint64) {
	if b.shares != nil && b.shares[block].Add(-1) > 0 {
		return
	}
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

// read returns a block, in the scratch. The error carries EIO.
func (b *backing) read(s *Scratch, block uint64) ([]byte, error) {
	b.reads.Add(1)
	p := s.block[:PageSize]
	if _, err := b.ReadAt(p, int64(block)*PageSize); err != nil {
		return nil, fmt.Errorf("%w (block %d of %s: %v)", ErrBacking, block, b.Path(), err)
	}
	if b.seals != nil && !b.seals.open(s, s.block, block) {
		b.bad.Add(1)
		return nil, fmt.Errorf("%w (block %d of %s is not what was written there)", ErrBacking, block, b.Path())
	}
	return p, nil
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
