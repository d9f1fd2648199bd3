package store

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"uzram/internal/blockfile"
	"uzram/internal/lockdep"
)

// writebackSettings outlive a reset, as they do in the kernel.
type writebackSettings struct {
	*state // for its writebackWords
	limit  budgetLimit

	// As in the settings. Change under cfgMu, before set-up only.
	compressed atomic.Bool // objects go out as they are
	pack       atomic.Bool // if compressed: as many in a block as it has room for
	checksum   atomic.Bool // a block that comes back different is an error
	encrypt    atomic.Bool
}

// packs reports whether a block may hold several objects.
func (w *writebackSettings) packs() bool { return w.compressed.Load() && w.pack.Load() }

// defaultBatch is the kernel's.
const defaultBatch = 32

// budgetLimit guards how many blocks may still be written, left, which counts
// while limited is set. What a run has reserved is lent, so that a successor can
// give it back.
type budgetLimit struct {
	mu   lockdep.Mutex[lockdep.LeafRank]
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
	w.limit.mu.Lock()
	defer w.limit.mu.Unlock()
	b := budget{uint64(n), w.limited.Load() != 0, w.limit.sets}
	if b.charge {
		left := w.left.Load()
		b.blocks = min(b.blocks, left)
		// A death in between makes the limit stricter, never wider.
		w.left.Store(left - b.blocks)
		w.lentAt.Store(w.writes.Load())
		w.lent.Store(b.blocks)
	}
	return b
}

// giveBack returns what was reserved but for the blocks that were used. A limit
// that was set meanwhile stays what it was set to.
func (w *writebackSettings) giveBack(b budget, used uint64) {
	w.limit.mu.Lock()
	defer w.limit.mu.Unlock()
	w.lent.Store(0)
	if b.charge && b.sets == w.limit.sets {
		w.left.Add(b.blocks - used)
	}
}

// giveBackLent is giveBack for the run of a process that has died.
func (w *writebackSettings) giveBackLent() {
	used := w.writes.Load() - w.lentAt.Load()
	if lent := w.lent.Swap(0); lent > used {
		w.left.Add(lent - used)
	}
}

// WritebackLimited reports whether the writeback limit holds.
func (d *Device) WritebackLimited() bool {
	return d.writing.limited.Load() != 0
}

// SetWritebackLimited makes the writeback limit hold, or not. A run under way
// heeds it from its next slotsPerStretch pages on.
func (d *Device) SetWritebackLimited(on bool) {
	w := &d.writing
	w.limit.mu.Lock()
	defer w.limit.mu.Unlock()
	if on {
		w.limited.Store(1)
	} else {
		w.limited.Store(0)
	}
}

// WritebackLimit is how many blocks of 4 KiB may still be written back, without
// those that a run under way has reserved for its present pages.
func (d *Device) WritebackLimit() uint64 {
	return d.writing.left.Load()
}

// SetWritebackLimit sets how many blocks of 4 KiB may still be written back. A
// run under way heeds it from its next slotsPerStretch pages on.
func (d *Device) SetWritebackLimit(blocks uint64) {
	w := &d.writing
	w.limit.mu.Lock()
	defer w.limit.mu.Unlock()
	w.lent.Store(0)
	w.left.Store(blocks)
	w.limit.sets++
}

// WritebackBatch is how many blocks may be in flight.
func (d *Device) WritebackBatch() uint32 { return uint32(d.writing.batch.Load()) }

// SetWritebackBatch sets how many blocks may be in flight. EINVAL: 0.
func (d *Device) SetWritebackBatch(blocks uint32) error {
	if blocks == 0 {
		return fmt.Errorf("batch of 0 pages: want at least 1: %w", syscall.EINVAL)
	}
	d.writing.batch.Store(uint64(blocks))
	return nil
}

// CompressedWriteback reports whether objects are written back as they are.
func (d *Device) CompressedWriteback() bool { return d.writing.compressed.Load() }

// SetCompressedWriteback chooses whether objects are written back as they are,
// or as the pages that they stand for. EBUSY: the device is set up.
func (d *Device) SetCompressedWriteback(on bool) error {
	return d.setWriteback(&d.writing.compressed, func(s *settings) *bool { return &s.compressed }, on)
}

// WritebackPack reports whether a block may hold several objects.
func (d *Device) WritebackPack() bool { return d.writing.pack.Load() }

// SetWritebackPack chooses whether a block may hold several objects, where they
// are written back as they are. EBUSY: the device is set up.
func (d *Device) SetWritebackPack(on bool) error {
	return d.setWriteback(&d.writing.pack, func(s *settings) *bool { return &s.pack }, on)
}

// WritebackChecksum reports whether blocks are checked when they are read.
func (d *Device) WritebackChecksum() bool { return d.writing.checksum.Load() }

// SetWritebackChecksum chooses whether blocks are checked when they are read, so
// that one that is not what was written is EIO. EBUSY: the device is set up.
func (d *Device) SetWritebackChecksum(on bool) error {
	return d.setWriteback(&d.writing.checksum, func(s *settings) *bool { return &s.checksum }, on)
}

// WritebackEncryption reports whether blocks are encrypted.
func (d *Device) WritebackEncryption() bool { return d.writing.encrypt.Load() }

// SetWritebackEncryption chooses whether blocks are encrypted, with a key that
// is made at set-up and forgotten at reset. That checks them too. EBUSY: the
// device is set up; EPERM: memory may be swapped out, and the key with it.
func (d *Device) SetWritebackEncryption(on bool) error {
	if on && !d.locked.Load() {
		return fmt.Errorf("encryption needs this process's memory to be locked: %w", syscall.EPERM)
	}
	return d.setWriteback(&d.writing.encrypt, func(s *settings) *bool { return &s.encrypt }, on)
}

// SetMemoryLocked says whether this process's memory is never swapped out, which
// encryption needs. At first it is taken not to be locked.
func (d *Device) SetMemoryLocked(locked bool) { d.locked.Store(locked) }

// setWriteback changes a setting, and what is read of it without lock.
func (d *Device) setWriteback(what *atomic.Bool, setting func(*settings) *bool, on bool) error {
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err := d.settable(); err != nil {
		return err
	}
	err := d.change(func(s *settings) { *setting(s) = on })
	if err == nil {
		what.Store(on)
	}
	return err
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

// HasBackingDev reports whether path leads to the backing device and the device
// is not set up, as after a SetBackingDev that went well.
func (d *Device) HasBackingDev(path string) bool {
	abs, err := filepath.Abs(path)
	return err == nil && abs == d.BackingDev() && !d.Initialised()
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
	unused := b
	if err = d.settable(); err == nil {
		err = d.noteBacking(b)
	}
	if err == nil {
		unused, d.backing = d.backing, b
	}
	d.cfgMu.Unlock()
	if unused != nil {
		unused.Close()
	}
	return err
}

// noteBacking has a successor find b, with its descriptor, in place of the
// backing device before. cfgMu is held.
func (d *Device) noteBacking(b Backing) error {
	number := d.settings.backings + 1
	if f, ok := b.(interface{ FD() int }); ok {
		if err := d.keeping.hold(backingName(number), f.FD()); err != nil {
			return err
		}
	}
	err := d.change(func(s *settings) {
		s.backing, s.backings, s.blocks = b.Path(), number, uint64(b.Size())/PageSize
	})
	if err != nil {
		number++ // for nothing
	}
	d.keeping.drop(backingName(number - 1))
	return err
}

func (d *Device) openBacking(path string) (Backing, error) {
	if d.openFile != nil {
		return d.openFile(path)
	}
	return blockfile.Open(path)
}

// dropBacking gives the backing device of that number back, with cfgMu held,
// after the record has said that it is none any more.
func (d *Device) dropBacking(number uint64) {
	if d.backing != nil {
		// A standby may have its copy of the descriptor for a moment more. So has a
		// process that may write there still, and for so long it stays taken.
		if u, ok := d.backing.(interface{ Unlock() }); ok && d.forebearsGone() {
			u.Unlock()
		}
		d.backing.Close()
		d.backing = nil
	}
	d.keeping.drop(backingName(number))
}
