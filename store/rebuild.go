package store

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"

	"uzram/alloc"
	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
)

// rebuild derives from the slots of a device that is taken over all that follows
// from them: which objects of the pool are in use, which elements, which blocks,
// and the gauges. It takes locks and marks off, and changes nothing else but the
// words of pages that are lost, so that a death on the way leaves the next one the
// same to do.
type rebuild struct {
	*live
	pool  *alloc.Adoption
	cells []atomic.Uint64 // a bit for each that a word names
	next  atomic.Uint64   // the slot from which on nobody has looked

	mu     lockdep.Mutex[lockdep.LeafRank]
	sum    tally
	report *Adoption
	failed error // no memory to go on
}

// slotsPerClaim is how many slots a goroutine takes at a time.
const slotsPerClaim = 16 * slotsPerTouch

func (r *rebuild) run() error {
	r.cells = make([]atomic.Uint64, (r.elements.backed()+63)/64)
	var wg sync.WaitGroup
	for range runtime.NumCPU() {
		wg.Go(r.work)
	}
	wg.Wait()
	if r.failed != nil {
		return r.failed
	}
	r.elements.adopt(r.cells)
	failpoint.Hit(failpoint.AdoptUnlocked)
	return nil
}

// work goes through stretches of the table until there are no more.
func (r *rebuild) work() {
	var sum tally
	used, end := uint64(0), uint64(len(r.table.slots))
	for {
		from := r.next.Add(slotsPerClaim) - slotsPerClaim
		if from >= end {
			break
		}
		last := min(from+slotsPerClaim, end)
		if from <= end/2 && end/2 < last {
			failpoint.Hit(failpoint.AdoptClaimed)
		}
		for i, to := r.table.touchedRange(from, last); i < last; i, to = r.table.touchedRange(to, last) {
			for ; i < to; i++ {
				if e := r.slot(i); e != 0 {
					sum.weigh(e, 1)
					used++
				}
			}
		}
		failpoint.Hit(failpoint.AdoptClaimed)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Slots += used
	r.sum.orig += sum.orig
	r.sum.same += sum.same
	r.sum.huge += sum.huge
	r.sum.compr += sum.compr
}

// slot takes over slot i and returns its entry.
func (r *rebuild) slot(i uint64) entry {
	s := &r.table.slots[i]
	if s.lock.Load() != 0 {
		s.lock.Store(0)
	}
	if aux := s.aux.Load(); aux&postMark != 0 {
		s.aux.Store(aux &^ postMark)
	}
	e := entry(s.word.Load())
	if e.kind() == kindEmpty {
		return 0
	}
	err := r.claim(i, e)
	if err == nil {
		if e == lostEntry {
			r.lost(nil)
		}
		return e
	}
	if errors.Is(err, syscall.ENOMEM) {
		r.mu.Lock()
		r.failed = err
		r.mu.Unlock()
		return e
	}
	s.word.Store(uint64(lostEntry))
	r.lost(fmt.Errorf("slot %d, %#x: %w", i, uint64(e), err))
	return lostEntry
}

// claim takes what slot i names. ENOMEM; other errors say why it names nothing.
func (r *rebuild) claim(i uint64, e entry) error {
	switch e.kind() {
	case kindObject:
		if n := e.size(); n < 1 || n > PageSize {
			return fmt.Errorf("an object of %d bytes", n)
		}
		return r.pool.Claim(i, e.handle(), e.size())
	case kindBlock:
		if r.backing == nil {
			return ErrNoBacking
		}
		return r.backing.claim(e)
	}
	cell, outside := e.cell()
	if !outside {
		return nil
	}
	if cell/64 >= uint64(len(r.cells)) {
		return fmt.Errorf("element %d, there are %d", cell, 64*len(r.cells))
	}
	if bit := uint64(1) << (cell % 64); r.cells[cell/64].Or(bit)&bit != 0 {
		return fmt.Errorf("another page has element %d", cell)
	}
	return nil
}

// lost counts a page whose word names nothing.
func (r *rebuild) lost(why error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Lost++
	if why != nil && len(r.report.Findings) < maxFindings {
		r.report.Findings = append(r.report.Findings, why.Error())
	}
}
