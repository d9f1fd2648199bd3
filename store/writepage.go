package store

import (
	"errors"
	"fmt"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/failpoint"
)

// writePage stores a whole page. All that can fail or take time happens before
// the slot is locked.
func (l *live) writePage(s *Scratch, i uint64, page []byte) error {
	if err := l.touch(i); err != nil {
		return err
	}
	failpoint.Hit(failpoint.WriteTouched)
	e, err := l.prepare(s, i, page)
	if err != nil {
		return err
	}
	l.table.lock(i, s.waiter)
	failpoint.Hit(failpoint.WriteLocked)
	kept := l.keep(i)
	old := l.table.commit(i, e, s.now)
	failpoint.Hit(failpoint.WriteCommitted)
	l.table.unlock(i)
	failpoint.Hit(failpoint.WriteUnlocked)
	l.settle(s, i, old, e, kept)
	failpoint.Hit(failpoint.WriteSettled)
	return nil
}

// writePartial replaces a part of a page, by zeros where part is nil. The write
// lock is held from reading to committing.
func (l *live) writePartial(s *Scratch, sp span, part []byte) error {
	if err := l.touch(sp.i); err != nil {
		return err
	}
	l.table.lock(sp.i, s.waiter)
	failpoint.Hit(failpoint.PartialLocked)
	e := entry(l.table.slots[sp.i].word.Load())
	err := l.decode(s, sp.i, e, s.page)
	if err == nil {
		if part == nil {
			clear(s.page[sp.from:sp.to])
		} else {
			copy(s.page[sp.from:sp.to], part)
		}
		failpoint.Hit(failpoint.PartialRead)
		e, err = l.prepare(s, sp.i, s.page)
	}
	if err != nil {
		l.table.unlock(sp.i)
		return err
	}
	failpoint.Hit(failpoint.PartialPrepared)
	kept := l.keep(sp.i)
	old := l.table.commit(sp.i, e, s.now)
	failpoint.Hit(failpoint.PartialCommitted)
	l.table.unlock(sp.i)
	failpoint.Hit(failpoint.PartialUnlocked)
	l.settle(s, sp.i, old, e, kept)
	return nil
}

// touch backs slot i with memory, rather than going on with a snapshot.
func (l *live) touch(i uint64) error {
	err := l.table.touch(i)
	if err != nil && l.yieldKept(err) {
		err = l.table.touch(i)
	}
	return err
}

// prepare makes the entry that stands for page, its object written and not yet
// named by any slot. On an error nothing is left behind. A snapshot under way is
// given up rather than the page.
func (l *live) prepare(s *Scratch, i uint64, page []byte) (entry, error) {
	e, err := l.place(s, i, page)
	if err != nil && l.yieldKept(err) {
		e, err = l.place(s, i, page)
	}
	return e, err
}

func (l *live) place(s *Scratch, i uint64, page []byte) (entry, error) {
	if element, same := sameFilled(page); same {
		return l.prepareSame(element)
	}
	object, err := l.compress(s, page)
	if err != nil {
		return 0, fmt.Errorf("page %d: %w", i, err)
	}
	failpoint.Hit(failpoint.WriteCompressed)
	h, err := l.pool.Alloc(s.id, len(object), i)
	if err != nil {
		return 0, fmt.Errorf("page %d: %w", i, ErrNoMemory)
	}
	if !l.withinLimit() {
		l.pool.Free(s.id, h)
		return 0, fmt.Errorf("page %d: %w", i, ErrMemLimit)
	}
	failpoint.Hit(failpoint.WriteAllocated)
	copy(l.pool.Bytes(h, len(object)), object)
	failpoint.Hit(failpoint.WriteFilled)
	return objectEntry(h, len(object)), nil
}

func (l *live) prepareSame(element uint64) (entry, error) {
	if e, ok := sameEntry(element); ok {
		return e, nil
	}
	index, err := l.elements.put(element)
	if err != nil {
		return 0, err
	}
	return sameForm(formElsewhere, index), nil
}

// compress returns what to store for page: its compressed form in the worker's
// buffer, or page itself where that would save too little.
func (l *live) compress(s *Scratch, page []byte) ([]byte, error) {
	n, err := l.streams[s.id].Compress(s.dst, page)
	if fault := failpoint.Error(failpoint.Compress); fault != nil {
		err = fault
	}
	switch {
	case errors.Is(err, compress.ErrIncompressible), err == nil && n >= alloc.HugeThreshold:
		return page, nil
	case err != nil:
		return nil, fmt.Errorf("%w (%v)", ErrCodec, err)
	}
	return s.dst[:n], nil
}

// withinLimit judges the pool's use after an allocation, as the kernel does: use
// may equal the limit, and an attempt beyond it counts as the highest use seen.
func (l *live) withinLimit() bool {
	pages := l.pool.Pages()
	for {
		seen := l.maxPages.Load()
		if pages <= seen || l.maxPages.CompareAndSwap(seen, pages) {
			break
		}
	}
	limit := l.memLimit.Load()
	return limit == 0 || pages <= limit
}

// settle does what follows the commit of e to slot i, unlocked again: it counts
// the change and frees what the slot held before, unless that is kept.
func (l *live) settle(s *Scratch, i uint64, old, e entry, kept bool) {
	if a := l.audit.Load(); a != nil {
		a.replaced(i, old, e)
	}
	s.tally.weigh(old, -1)
	s.tally.weigh(e, 1)
	if e.huge() {
		s.tally.hugeSince++
	}
	if !kept {
		l.release(s.id, old)
	}
}

// release frees what a word names that no slot has any more.
func (l *live) release(worker int, old entry) {
	switch old.kind() {
	case kindObject:
		l.pool.Free(worker, old.handle())
	case kindBlock:
		l.backing.give(old.block())
	}
	if cell, outside := old.cell(); outside {
		l.elements.drop(cell)
	}
}

// weigh adds an entry's share of the gauges, sign times.
func (t *tally) weigh(e entry, sign int64) {
	switch e.kind() {
	case kindSame:
		t.orig += sign
		if e != lostEntry {
			t.same += sign
		}
	case kindObject:
		t.orig += sign
		t.compr += sign * int64(e.size())
		if e.huge() {
			t.huge += sign
		}
	case kindBlock:
		t.orig += sign
	}
}
