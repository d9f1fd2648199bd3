package store

import (
	"fmt"
	"sync/atomic"
	"syscall"

	"uzram/internal/blockfile"
	"uzram/internal/lockdep"
)

// writebackSettings outlive a reset, as they do in the kernel.
type writebackSettings struct {
	limit budgetLimit
	batch atomic.Uint32 // blocks in flight, at least 1

	// Change under cfgMu, before set-up only.
	compressed atomic.Bool // objects go out as they are
	pack       atomic.Bool // if compressed: as many in a block as it has room for
	checksum   atomic.Bool // a block that comes back different is an error
	encrypt    atomic.Bool
}

// packs reports whether a block may hold several objects.
func (w *writebackSettings) packs() bool { return w.compressed.Load() && w.pack.Load() }

// defaultBatch is the kernel's.
const defaultBatch = 32

func (w *writebackSettings) init() { w.batch.Store(defaultBatch) }

// budgetLimit is how many blocks may still be written, while it is on.
type budgetLimit struct {
	mu   lockdep.Mutex[lockdep.LeafRank]
	on   bool
	left uint64
	sets uint64 // how often left was set
}

// budget is what a run has reserved of the limit for a stretch.
type budget struct {
	blocks uint64
	charge bool   // they were taken off the limit
	sets   uint64 // which was set so often then
}

// reserve takes up to n blocks off the limit.
func (w *writebackSettings) reserve(n int) budget {
	l := &w.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	b := budget{uint64(n), l.on, l.sets}
	if l.on {
		b.blocks = min(b.blocks, l.left)
		l.left -= b.blocks
	}
	return b
}

// giveBack returns what was reserved but for the blocks that were used. A limit
// that was set meanwhile stays what it was set to.
func (w *writebackSettings) giveBack(b budget, used uint64) {
	l := &w.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	if b.charge && b.sets == l.sets {
		l.left += b.blocks - used
	}
}

// limited reports whether the limit holds.
func (w *writebackSettings) limited() bool {
	l := &w.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.on
}

// WritebackLimited reports whether the writeback limit holds.
func (d *Device) WritebackLimited() bool { return d.writing.limited() }

// SetWritebackLimited makes the writeback limit hold, or not. A run under way
// heeds it from its next slotsPerStretch pages on.
func (d *Device) SetWritebackLimited(on bool) {
	l := &d.writing.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	l.on = on
}

// WritebackLimit is how many blocks of 4 KiB may still be written back, without
// those that a run under way has reserved for its present pages.
func (d *Device) WritebackLimit() uint64 {
	l := &d.writing.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}

// SetWritebackLimit sets how many blocks of 4 KiB may still be written back. A
// run under way heeds it from its next slotsPerStretch pages on.
func (d *Device) SetWritebackLimit(blocks uint64) {
	l := &d.writing.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left = blocks
	l.sets++
}

// WritebackBatch is how many blocks may be in flight.
func (d *Device) WritebackBatch() uint32 { return d.writing.batch.Load() }

// SetWritebackBatch sets how many blocks may be in flight. EINVAL: 0.
func (d *Device) SetWritebackBatch(blocks uint32) error {
	if blocks == 0 {
		return fmt.Errorf("batch of 0 pages: want at least 1: %w", syscall.EINVAL)
	}
	d.writing.batch.Store(blocks)
	return nil
}

// CompressedWriteback reports whether objects are written back as they are.
func (d *Device) CompressedWriteback() bool { return d.writing.compressed.Load() }

// SetCompressedWriteback chooses whether objects are written back as they are,
// or as the pages that they stand for. EBUSY: the device is set up.
func (d *Device) SetCompressedWriteback(on bool) error {
	return d.setWriteback(&d.writing.compressed, on)
}

// WritebackPack reports whether a block may hold several objects.
func (d *Device) WritebackPack() bool { return d.writing.pack.Load() }

// SetWritebackPack chooses whether a block may hold several objects, where they
// are written back as they are. EBUSY: the device is set up.
func (d *Device) SetWritebackPack(on bool) error { return d.setWriteback(&d.writing.pack, on) }

// WritebackChecksum reports whether blocks are checked when they are read.
func (d *Device) WritebackChecksum() bool { return d.writing.checksum.Load() }

// SetWritebackChecksum chooses whether blocks are checked when they are read, so
// that one that is not what was written is EIO. EBUSY: the device is set up.
func (d *Device) SetWritebackChecksum(on bool) error { return d.setWriteback(&d.writing.checksum, on) }

// WritebackEncryption reports whether blocks are encrypted.
func (d *Device) WritebackEncryption() bool { return d.writing.encrypt.Load() }

// SetWritebackEncryption chooses whether blocks are encrypted, with a key that
// is made at set-up and forgotten at reset. That checks them too. EBUSY: the
// device is set up; EPERM: memory may be swapped out, and the key with it.
func (d *Device) SetWritebackEncryption(on bool) error {
	if on && !d.locked.Load() {
		return fmt.Errorf("encryption needs this process's memory to be locked: %w", syscall.EPERM)
	}
	return d.setWriteback(&d.writing.encrypt, on)
}

// SetMemoryLocked says whether this process's memory is never swapped out, which
// encryption needs. At first it is taken not to be locked.
func (d *Device) SetMemoryLocked(locked bool) { d.locked.Store(locked) }

func (d *Device) setWriteback(what *atomic.Bool, on bool) error {
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if d.live.Load() != nil {
		return ErrSetUp
	}
	what.Store(on)
	return nil
}

// BackingDev is the path of the backing device, "" for none.
func (d *Device) BackingDev() string {
	d.cfgMu.RLock()
	defer d.cfgMu.RUnlock()
	if d.backing == nil {
		return ""
	}
	return d.backing.Path()
}

// SetBackingDev takes the block device or plain file at path to write pages back
// to, in place of the one before. On an error that one stays. EBUSY: the device
// is set up, or somebody else has the file; else as blockfile.Open.
func (d *Device) SetBackingDev(path string) error {
	if d.Initialised() {
		return ErrSetUp
	}
	// No lock is held meanwhile: the path may lead through a mount that needs
	// this very device to answer.
	b, err := d.openBacking(path)
	if err != nil {
		return err
	}
	d.cfgMu.Lock()
	if d.live.Load() == nil {
		b, d.backing = d.backing, b
	} else {
		err = ErrSetUp
	}
	d.cfgMu.Unlock()
	if b != nil {
		b.Close()
	}
	return err
}

func (d *Device) openBacking(path string) (Backing, error) {
	if d.openFile != nil {
		return d.openFile(path)
	}
	return blockfile.Open(path)
}

// dropBacking gives the backing device back, with cfgMu held.
func (d *Device) dropBacking() {
	if d.backing != nil {
		d.backing.Close()
		d.backing = nil
	}
}
