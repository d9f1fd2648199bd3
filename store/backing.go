package store

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"sync/atomic"
	"syscall"
	"unsafe"

	"uzram/internal/failpoint"
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
	*backingCounts
	seals  sealer         // nil = none
	sealed *offheap.Arena // what it knows of the blocks
	first  atomic.Uint64  // no block below is free
	used   atomic.Int64   // blocks
}

// maxBlocks is what a commit word can tell apart.
const maxBlocks = (placeMask + 1) * placeUnit / PageSize

// newBacking is b with nothing on it that anybody knows of, yet. blocks are those
// that it had when it was taken, whatever has become of it. What seals them lies in
// an arena of those before us, if that is not nil. ENOMEM: no memory for its
// tables; sealed is the caller's then.
func newBacking(b Backing, blocks uint64, w *writebackSettings, sealed *offheap.Arena) (*backing, error) {
	n := &backing{Backing: b, backingCounts: &w.backingCounts}
	n.blocks = min(blocks, maxBlocks)
	if sealed != nil {
		n.blocks = min(n.blocks, uint64(len(sealed.Data()))*8/w.sealBits())
		n.tables = append(n.tables, blockTable{sealed, w.sealBits()})
	}
	if err := n.openTables(w, sealed); err != nil {
		n.letGo(sealed)
		n.closeTables()
		return nil, fmt.Errorf("tables of the backing device: %w", err)
	}
	return n, nil
}

func (b *backing) openTables(w *writebackSettings, sealed *offheap.Arena) error {
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
	bits := w.sealBits()
	if bits == 0 {
		return nil
	}
	if sealed == nil {
		if sealed, err = b.newTable(offheap.BackingSeals, bits); err != nil {
			return err
		}
	}
	b.sealed = sealed
	if w.encrypt.Load() {
		b.seals, err = newEncryption(w.stateWords, offheap.View[sealedBlock](sealed, b.blocks))
	} else {
		b.seals = checksums(offheap.View[uint32](sealed, b.blocks))
	}
	return err
}

// sealBits is what sealing a block takes in memory.
func (w *writebackSettings) sealBits() uint64 {
	switch {
	case w.encrypt.Load():
		return 8 * uint64(unsafe.Sizeof(sealedBlock{}))
	case w.checksum.Load():
		return 32
	}
	return 0
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

// claim takes the block that a word names, for a device that was taken over.
// ENOMEM; other errors say why the word names nothing.
func (b *backing) claim(e entry) error {
	block := e.block()
	if block >= b.blocks || e.size() < 1 || e.from()+e.size() > PageSize {
		return fmt.Errorf("%d bytes at %d of block %d, there are %d blocks", e.size(), e.from(), block, b.blocks)
	}
	if err := b.extendTo(block); err != nil {
		return err
	}
	bit := uint64(1) << (block % 64)
	if b.taken[block/64].Or(bit)&bit == 0 {
		b.used.Add(1)
	} else if b.shares == nil {
		return fmt.Errorf("another page lies in block %d", block)
	}
	b.share(block)
	return nil
}

func (b *backing) isTaken(block uint64) bool {
	return block < b.reach.Load() && b.taken[block/64].Load()&(1<<(block%64)) != 0
}

// read returns a block, in the scratch. The error carries EIO.
func (b *backing) read(s *Scratch, block uint64) ([]byte, error) {
	b.reads.Add(1)
	p := s.block[:PageSize]
	err := failpoint.Error(failpoint.BackingRead)
	if err == nil {
		_, err = b.ReadAt(p, int64(block)*PageSize)
	}
	if err != nil {
		return nil, fmt.Errorf("%w (block %d of %s: %v)", ErrBacking, block, b.Path(), err)
	}
	if err := b.unseal(s, block); err != nil {
		return nil, err
	}
	return p, nil
}

// unseal opens a block that was read, in the scratch. The error carries EIO.
func (b *backing) unseal(s *Scratch, block uint64) error {
	if b.seals != nil && !b.seals.open(s, s.block, block) {
		b.bad.Add(1)
		return fmt.Errorf("%w (block %d of %s is not what was written there)", ErrBacking, block, b.Path())
	}
	return nil
}

// readMany reads consecutive blocks as they lie there.
func (b *backing) readMany(p []byte, block uint64) error {
	b.reads.Add(uint64(len(p) / PageSize))
	err := failpoint.Error(failpoint.BackingRead)
	if err == nil {
		_, err = b.ReadAt(p, int64(block)*PageSize)
	}
	return err
}

// write writes consecutive blocks. The error carries the errno of the write, or
// EIO.
func (b *backing) write(p []byte, block uint64) error {
	err := failpoint.Error(failpoint.BackingWrite)
	if err == nil {
		_, err = b.WriteAt(p, int64(block)*PageSize)
	}
	if err == nil {
		b.writes.Add(uint64(len(p) / PageSize))
		return nil
	}
	errno := syscall.EIO
	errors.As(err, &errno)
	return fmt.Errorf("block %d of %s: %w (%v)", block, b.Path(), errno, err)
}
