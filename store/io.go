package store

import (
	"syscall"

	"uzram/internal/failpoint"
)

// ReadAt fills p from the disk at off. It returns less than len(p) only at the
// end of the disk, and 0 past it or before set-up. Errors carry EIO.
func (d *Device) ReadAt(s *Scratch, p []byte, off int64) (n int, err error) {
	l := s.enter(d)
	if l != nil {
		n, err = l.read(s, l.clip(p, off), uint64(off))
		if err != nil {
			s.tally.failedReads++
		}
	}
	s.leave(l)
	return n, err
}

// WriteAt stores p at off. ENOSPC: off is past the end, or the device is not set
// up; EIO: the memory limit, no memory, or a codec's failure. n is how much was
// stored before the error, or up to the end of the disk.
func (d *Device) WriteAt(s *Scratch, p []byte, off int64) (n int, err error) {
	l := s.enter(d)
	if l == nil || off < 0 || off >= l.size {
		err = ErrPastEnd
	} else if n, err = l.write(s, l.clip(p, off), uint64(off)); err != nil {
		s.tally.failedWrites++
	}
	s.leave(l)
	return n, err
}

// Discard frees the whole pages of [off, off+n) and zeroes the parts of pages
// at its ends. What lies past the end is ignored. EINVAL: negative numbers.
func (d *Device) Discard(s *Scratch, off, n int64) (err error) {
	if off < 0 || n < 0 {
		return syscall.EINVAL
	}
	l := s.enter(d)
	if l != nil && off < l.size {
		if err = l.discard(s, uint64(off), uint64(min(n, l.size-off))); err != nil {
			s.tally.failedWrites++
		}
	}
	s.leave(l)
	return err
}

// clip is the part of p, meant for off, that the disk holds.
func (l *live) clip(p []byte, off int64) []byte {
	if off < 0 || off >= l.size {
		return nil
	}
	return p[:min(int64(len(p)), l.size-off)]
}

// span is the part [from, to) of slot i's page that a request touches.
type span struct {
	i        uint64
	from, to int
}

func (s span) whole() bool { return s.from == 0 && s.to == PageSize }

// spanAt is the first span of the n > 0 bytes at off.
func spanAt(off, n uint64) span {
	from := int(off % PageSize)
	return span{i: off / PageSize, from: from, to: from + int(min(n, uint64(PageSize-from)))}
}

func (l *live) read(s *Scratch, p []byte, off uint64) (n int, err error) {
	r := l.newReadAhead(s, off/PageSize, (off+uint64(len(p))+PageSize-1)/PageSize)
	defer r.end()
	for n < len(p) {
		sp := spanAt(off+uint64(n), uint64(len(p)-n))
		part := p[n : n+sp.to-sp.from]
		if sp.whole() {
			err = r.page(sp.i, part)
		} else if err = r.page(sp.i, s.page); err == nil {
			copy(part, s.page[sp.from:sp.to])
		}
		if err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

func (l *live) write(s *Scratch, p []byte, off uint64) (n int, err error) {
	for n < len(p) {
		sp := spanAt(off+uint64(n), uint64(len(p)-n))
		part := p[n : n+sp.to-sp.from]
		if sp.whole() {
			err = l.writePage(s, sp.i, part)
		} else {
			err = l.writePartial(s, sp, part)
		}
		if err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

func (l *live) discard(s *Scratch, off, n uint64) error {
	end := off + n
	if off%PageSize != 0 && n > 0 {
		sp := spanAt(off, n)
		if err := l.zeroPartial(s, sp); err != nil {
			return err
		}
		off += uint64(sp.to - sp.from)
	}
	if first, last := off/PageSize, end/PageSize; first < last {
		l.discardPages(s, first, last)
		off = last * PageSize
	}
	if off < end {
		return l.zeroPartial(s, spanAt(off, end-off))
	}
	return nil
}

// discardPages empties slots [first, last). It waits for those that are locked,
// because the effect of a discard is promised.
func (l *live) discardPages(s *Scratch, first, last uint64) {
	s.tally.notifyFree += int64(last - first)
	for first < last {
		from, to := l.table.touchedRange(first, last)
		for i := from; i < to; i++ {
			if l.table.load(i).kind() == kindEmpty {
				continue
			}
			l.table.lock(i, s.waiter)
			failpoint.Hit(failpoint.FreeLocked)
			kept := l.keep(i)
			old := l.table.commit(i, 0, 0)
			failpoint.Hit(failpoint.FreeCommitted)
			l.table.unlock(i)
			failpoint.Hit(failpoint.FreeUnlocked)
			l.settle(s, i, old, 0, kept)
			failpoint.Hit(failpoint.FreeSettled)
		}
		first = to
	}
}

// FreeHint frees a page of which its user says that nobody needs it any more. A
// hint is no promise: while the page's slot is busy, it is given up and counted
// as missed, and the answer is false.
func (d *Device) FreeHint(s *Scratch, page uint64) (freed bool) {
	l := s.enter(d)
	if l != nil && page < uint64(len(l.table.slots)) {
		freed = l.freeHint(s, page)
	}
	s.leave(l)
	return freed
}

// FreeHints is FreeHint for pages [first, first+n) and for callers who are no
// worker. What lies past the end is ignored.
func (d *Device) FreeHints(first, n uint64) {
	d.workers.AsVerb(func(s *Scratch) {
		for n > 0 {
			l := s.enter(d)
			var done uint64
			if l != nil && first < uint64(len(l.table.slots)) {
				done = l.freeHints(s, first, min(n, uint64(len(l.table.slots))-first))
			}
			s.leave(l)
			if done == 0 {
				return
			}
			first, n = first+done, n-done
		}
	})
}

// freeHints gives hints for the first of n > 0 slots and returns how many that
// were: those of a page of the table, and those before it that never held
// anything. So a request stays short.
func (l *live) freeHints(s *Scratch, first, n uint64) (done uint64) {
	from, to := l.table.touchedRange(first, first+n)
	s.tally.notifyFree += int64(from - first)
	for i := from; i < to; i++ {
		l.freeHint(s, i)
	}
	return to - first
}

func (l *live) freeHint(s *Scratch, i uint64) bool {
	s.tally.notifyFree++
	if l.table.load(i).kind() == kindEmpty {
		return true
	}
	if !l.table.tryLock(i) {
		s.tally.missFree++
		return false
	}
	failpoint.Hit(failpoint.FreeLocked)
	kept := l.keep(i)
	old := l.table.commit(i, 0, 0)
	failpoint.Hit(failpoint.FreeCommitted)
	l.table.unlock(i)
	failpoint.Hit(failpoint.FreeUnlocked)
	l.settle(s, i, old, 0, kept)
	failpoint.Hit(failpoint.FreeSettled)
	return true
}

// zeroPartial zeroes a part of a page; an empty page is zeros already.
func (l *live) zeroPartial(s *Scratch, sp span) error {
	if l.table.load(sp.i).kind() == kindEmpty {
		return nil
	}
	return l.writePartial(s, sp, nil)
}
