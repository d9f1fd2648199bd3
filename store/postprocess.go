package store

import (
	"sync"
	"sync/atomic"

	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
)

// A post-processing run picks pages, works on a private copy of each with
// nothing locked, and commits what came of it only if nobody has used the page
// meanwhile:
//
//	take      read lock: mark the slot, copy its object
//	          unlocked: work, allocate
//	replace   write lock: if the mark stands, commit; else drop the work
//
// Whoever else commits to the slot, and whoever reads it, takes the mark off.
// Compaction may move the object in between; the mark stays then.

// postRuns lets one run go on at a time, and ends them all before a reset. A run
// may take minutes, so it does not hold Device.cfgMu; passMu it holds for
// slotsPerStretch pages at a time, so that other passes get their turn.
type postRuns struct {
	turn    chan struct{} // full while a run goes on
	stop    chan struct{} // closed when all are to end
	pending sync.WaitGroup
	alone   chan struct{} // full while a snapshot is taken or a check runs

	snapshotting atomic.Bool // or about to
}

func (p *postRuns) init() {
	p.turn, p.alone, p.stop = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
}

// end returns when no run goes on or waits. None may begin any more.
func (p *postRuns) end() {
	close(p.stop)
	p.pending.Wait()
}

func (p *postRuns) stopped() bool {
	select {
	case <-p.stop:
		return true
	default:
		return false
	}
}

// postProcess does a run when its turn comes. prepare runs with the settings
// held. EINVAL before set-up; ErrResetting if a reset came first.
func (d *Device) postProcess(prepare func(*live) error, run func(*live) error) error {
	var l *live
	err := d.withLive(func(now *live) error {
		if err := prepare(now); err != nil {
			return err
		}
		l = now
		l.post.pending.Add(1)
		return nil
	})
	if err != nil {
		return err
	}
	defer l.post.pending.Done()
	select {
	case l.post.turn <- struct{}{}:
	case <-l.post.stop:
		return ErrResetting
	}
	defer func() { <-l.post.turn }()
	err = run(l)
	lockdep.AssertNoneHeld(lockdep.Settings)
	return err
}

// selector says which pages a run is for.
type selector interface {
	selects(i uint64, e entry, aux uint32) bool // e is an object
}

// taken is what a run took from a slot.
type taken struct {
	e    entry  // an object, of which there is a copy
	used uint32 // second of the last access
}

// take marks slot i and copies its object to buf, if it is selected. That is an
// attempt at the page, so it takes the idle mark off.
func (l *live) take(s *Scratch, i uint64, sel selector, buf []byte) (t taken, ok bool) {
	l.table.rlock(i, s.waiter)
	defer l.table.runlock(i)
	slot := &l.table.slots[i]
	e := entry(slot.word.Load())
	for e.kind() == kindObject {
		aux := slot.aux.Load()
		if !sel.selects(i, e, aux) {
			break
		}
		if slot.aux.CompareAndSwap(aux, aux&^idleMark|postMark) {
			failpoint.Hit(failpoint.PostMarked)
			copy(buf, l.pool.Bytes(e.handle(), e.size()))
			return taken{e, aux & secondsMask}, true
		}
	}
	return taken{}, false
}

// replace commits e, last used at a second, to slot i in place of what was taken
// from there. false: the slot was used meanwhile, nothing has changed.
func (l *live) replace(s *Scratch, i uint64, e entry, used uint32) bool {
	l.table.lock(i, s.waiter)
	if l.table.slots[i].aux.Load()&postMark == 0 {
		l.table.unlock(i)
		return false
	}
	failpoint.Hit(failpoint.PostLocked)
	old := l.table.commit(i, e, used)
	failpoint.Hit(failpoint.PostCommitted)
	l.table.unlock(i)
	failpoint.Hit(failpoint.PostUnlocked)
	l.settle(s, i, old, e, false) // a snapshot may as well find the same page in e
	failpoint.Hit(failpoint.PostSettled)
	return true
}

// untake ends the work on slot i without a new object; flags are for the commit
// word. false as for replace.
func (l *live) untake(s *Scratch, i uint64, flags entry) bool {
	l.table.lock(i, s.waiter)
	defer l.table.unlock(i)
	slot := &l.table.slots[i]
	if slot.aux.Load()&postMark == 0 {
		return false
	}
	l.table.setWord(i, entry(slot.word.Load())|flags)
	failpoint.Hit(failpoint.PostFlagged)
	slot.aux.And(^uint32(postMark))
	return true
}

// stretches hands the slots of a sweep to do, some at a time, until do says that
// it wants no more or fails. do returns how many of them it dealt with. byIndex
// decides by their number whether the sweep goes by index; nil = by size.
func (l *live) stretches(sel selector, byIndex func(total int) bool, do func(slots []uint64) (done int, err error)) error {
	sweep := newSweep(l, sel)
	if byIndex != nil && byIndex(sweep.total) {
		sweep.goByIndex()
	}
	var slots []uint64
	for !l.post.stopped() {
		if len(slots) == 0 {
			if slots = sweep.next(); len(slots) == 0 {
				break
			}
		}
		n, err := l.onePass(slots[:min(len(slots), slotsPerStretch)], do)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		slots = slots[n:]
	}
	if l.post.stopped() {
		return ErrResetting
	}
	return nil
}

// onePass keeps other passes out while do works, so that a check never sees what
// the run has taken and not yet used.
func (l *live) onePass(slots []uint64, do func([]uint64) (int, error)) (int, error) {
	l.passMu.Lock()
	defer l.passMu.Unlock()
	return do(slots)
}
