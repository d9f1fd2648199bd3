package store

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"

	"uzram/internal/failpoint"
	"uzram/internal/snapshot"
)

// ErrRestoring is what a verb gets that may not run beside a restore.
var ErrRestoring = fmt.Errorf("a snapshot is being restored: %w", syscall.EBUSY)

// settable is nil while settings may be chosen, with cfgMu held.
func (d *Device) settable() error {
	switch {
	case d.live.Load() != nil:
		return ErrSetUp
	case d.restoring:
		return ErrRestoring
	}
	return nil
}

// Restore sets the device up with the settings and pages of a snapshot. A backing
// device that was chosen before stays; else the snapshot's is taken. Pages that
// lay on it go there again, as far as it has room, and into memory otherwise.
// The memory limit does not hold before the end.
//
// complete is called when in was read but for its end, which has to follow. After
// an error the device is not set up, with the settings it had before: EBUSY, it
// was set up already; those of package snapshot; ENOMEM; those of the verbs that
// make the settings; EPERM, blocks are to be encrypted and memory is not locked;
// or what in says.
func (d *Device) Restore(in io.Reader, complete func()) error {
	d.cfgMu.RLock()
	err := d.settable()
	d.cfgMu.RUnlock()
	if err != nil {
		return err
	}
	file, err := snapshot.NewReader(in)
	if err != nil {
		return err
	}
	r, err := d.beginRestore(file.Head())
	if err != nil {
		return err
	}
	if err = r.load(file); err == nil {
		complete()
		err = file.Rest()
	}
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err == nil {
		failpoint.Hit(failpoint.RestoreLoaded)
		err = r.finish()
	}
	if err != nil {
		r.live.close()
		err = errors.Join(err, r.undo())
	}
	d.restoring = false
	return err
}

// restore is a snapshot on its way into a device.
type restore struct {
	*live  // nobody else's yet
	device *Device
	head   snapshot.Head
	before settings
	opened bool // the backing device, by us

	scratch Scratch
	now     uint32
	sum     tally    // of the pages that were loaded
	back    []uint64 // slots that lay on the backing device
	full    bool     // it takes no more
}

// beginRestore makes the settings and all that a set-up needs but its pages.
func (d *Device) beginRestore(h snapshot.Head) (*restore, error) {
	if err := d.checkHead(&h); err != nil {
		return nil, err
	}
	d.cfgMu.Lock()
	err := d.settable()
	r := &restore{device: d, head: h, before: d.settings, now: bootSeconds()}
	d.restoring = d.restoring || err == nil
	own := d.backing == nil && h.Writeback.BackingDev != ""
	d.cfgMu.Unlock()
	if err != nil {
		return nil, err
	}
	var b Backing
	if own {
		// As in SetBackingDev: with no lock held.
		b, err = d.openBacking(h.Writeback.BackingDev)
	}
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err == nil {
		err = r.prepare(b)
	}
	if err != nil {
		err = errors.Join(err, r.undo())
		d.restoring = false
		return nil, err
	}
	return r, nil
}

// checkHead refuses what no device can have been. EBADMSG, EPERM.
func (d *Device) checkHead(h *snapshot.Head) error {
	if h.Disksize == 0 || h.Disksize%PageSize != 0 || h.Disksize > maxDisksize || h.Writeback.Batch == 0 {
		return fmt.Errorf("%w: a disk of %d bytes", snapshot.ErrDamaged, h.Disksize)
	}
	var seen [priorities]bool
	for _, a := range h.Algorithms {
		if a.Priority < 0 || a.Priority >= priorities || seen[a.Priority] || a.Name == "" {
			return fmt.Errorf("%w: it has a wrong algorithm", snapshot.ErrDamaged)
		}
		seen[a.Priority] = true
	}
	if !seen[0] {
		return fmt.Errorf("%w: it has no algorithm", snapshot.ErrDamaged)
	}
	if h.Writeback.Encryption && !d.locked.Load() {
		return fmt.Errorf("encryption needs this process's memory to be locked: %w", syscall.EPERM)
	}
	return nil
}

// prepare makes the settings and the set-up, with cfgMu held. b is the backing
// device, nil if there is none or one already.
func (r *restore) prepare(b Backing) (err error) {
	d := r.device
	d.settings.before = &r.before
	if b != nil {
		if err := d.noteBacking(b); err != nil {
			b.Close()
			return err
		}
		d.backing, r.opened = b, true
	}
	err = d.change(func(s *settings) {
		s.algorithm = [priorities]string{}
		for _, a := range r.head.Algorithms {
			s.algorithm[a.Priority], s.params[a.Priority] = a.Name, paramsOf(a)
		}
		w := &r.head.Writeback
		s.wipe = s.wipe || r.head.Wipe
		s.compressed, s.pack, s.checksum, s.encrypt = w.Compressed, w.Pack, w.Checksum, w.Encryption
	})
	if err != nil {
		return err
	}
	d.writing.follow(&d.settings)
	d.state.clear()
	pages := r.head.Disksize / PageSize
	l, _, err := d.build(pages, nil)
	if err != nil {
		return err
	}
	if err := l.reserve(pages); err != nil {
		l.close()
		return fmt.Errorf("disksize %d: %w", r.head.Disksize, err)
	}
	l.memLimit = new(atomic.Uint64) // none for now
	r.live = l
	// Nobody else uses what is worker 0's of this set-up.
	const dst = 2 * PageSize
	r.scratch = Scratch{page: make([]byte, PageSize, PageSize+slack), dst: make([]byte, dst)}
	return nil
}

// follow makes what is read without lock what the settings say.
func (w *writebackSettings) follow(s *settings) {
	w.compressed.Store(s.compressed)
	w.pack.Store(s.pack)
	w.checksum.Store(s.checksum)
	w.encrypt.Store(s.encrypt)
}

// undo makes the settings what they were, with cfgMu held.
func (r *restore) undo() error {
	d := r.device
	number := d.settings.backings
	err := d.change(func(s *settings) {
		generation, backings := s.generation, s.backings
		*s = r.before
		s.generation, s.backings = generation, backings
	})
	d.writing.follow(&d.settings)
	clear(d.state.key[:])
	if r.opened {
		d.dropBacking(number)
	}
	return err
}

// finish makes the device live, with cfgMu held.
func (r *restore) finish() error {
	d := r.device
	sum := r.total()
	pages := r.head.MemLimit / PageSize
	if err := r.setUp(pages); err != nil {
		return fmt.Errorf("disksize %d: %w", r.size, err)
	}
	for name, f := range r.lasting(&sum) {
		f.set(r.head.Stats[name])
	}
	r.maxPages.Store(max(r.maxPages.Load(), r.pool.Pages()))
	sum.add(&r.sum)
	r.counters[0].add(&sum)
	d.memLimit.Store(pages)
	r.memLimit = &d.memLimit
	r.compactor.start(r.live)
	d.setLive(r.live)
	return nil
}

// setUp has a successor find the device set up, with all its limits from the same
// moment on.
func (r *restore) setUp(memLimit uint64) error {
	d, w := r.device, &r.head.Writeback
	limit, limited, batch := d.WritebackLimit(), d.WritebackLimited(), d.writing.batch.Load()
	d.SetWritebackLimit(w.Limit)
	d.SetWritebackLimited(w.Limited)
	d.writing.batch.Store(uint64(w.Batch))
	err := d.change(func(s *settings) { s.memLimit = memLimit })
	if err == nil {
		err = d.noteSetUp(r.live)
	}
	if err != nil {
		d.SetWritebackLimit(limit)
		d.SetWritebackLimited(limited)
		d.writing.batch.Store(batch)
	}
	return err
}

// add adds another tally's gauges.
func (t *tally) add(more *tally) {
	t.orig += more.orig
	t.same += more.same
	t.huge += more.huge
	t.compr += more.compr
}
