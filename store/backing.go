package store

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sync/atomic"
	"syscall"
	"unsafe"

	"uzram/internal/offheap"
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
	blockTables
	seals  sealer        // nil = none
	first  atomic.Uint64 // no block below is free
	used   atomic.Int64  // blocks
	reads  atomic.Uint64 // blocks read, ever
	writes atomic.Uint64 // blocks written, ever
	bad    atomic.Uint64 // blocks that were not what was written, ever
}

// maxBlocks is what a commit word can tell apart.
const maxBlocks = (placeMask + 1) * placeUnit / PageSize

// newBacking is b with nothing on it. ENOMEM: no memory for its tables.
func newBacking(b Backing, w *writebackSettings) (*backing, error) {
	n := &backing{Backing: b}
	n.blocks = min(uint64(b.Size())/PageSize, maxBlocks)
	if err := n.openTables(w); err != nil {
		n.closeTables()
		return nil, fmt.Errorf("tables of the backing device: %w", err)
	}
	return n, nil
}

func (b *backing) openTables(w *writebackSettings) error {
	arena, err := b.newTable(offheap.BackingBlocks, 1)
	if err != nil {
		return err
	}
	b.taken = offheap.View[atomic.Uint64](arena, (b.blocks+63)/64)
	if w.packs() {
		if arena, err = b.newTable(offheap.BackingShares, 32); err != nil {
			return err
		}
		b.shares = offheap.View[atomic.Int32](arena, b.blocks)
	}
	switch {
	case w.encrypt.Load():
		if arena, err = b.newTable(offheap.BackingSeals, 8*uint64(unsafe.Sizeof(sealedBlock{}))); err != nil {
			return err
		}
		b.seals, err = newEncryption(offheap.View[sealedBlock](arena, b.blocks))
	case w.checksum.Load():
		if arena, err = b.newTable(offheap.BackingSeals, 32); err != nil {
			return err
		}
		b.seals = checksums(offheap.View[uint32](arena, b.blocks))
	}
	return err
}

// take takes up to len(list) free blocks, the lowest, and returns those. Next to
// a give the lowest may be missed, but a free block is never taken for none.
// ENOMEM: the only free blocks are such that there is no memory to note them.
func (b *backing) take(list []uint64) ([]uint64, error) {
	start, reach := b.first.Load(), b.reach.Load()
	n := b.takeFrom(start/64, wordsOf(reach), list)
	if n < len(list) {
		n += b.takeFrom(0, start/64, list[n:])
	}
	var err error
	for n < len(list) && reach < b.blocks {
		if err = b.extend(); err != nil {
			break
		}
		from := reach / 64
		reach = b.reach.Load()
		n += b.takeFrom(from, wordsOf(reach), list[n:])
	}
	b.used.Add(int64(n))
	if n > 0 {
		b.first.CompareAndSwap(start, list[0])
		err = nil
	}
	return list[:n], err
}

func wordsOf(blocks uint64) uint64 { return (blocks + 63) / 64 }

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
	return block < b.reach.Load() && b.taken[block/64].Load()&(1<<(block%64)) != 0
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
