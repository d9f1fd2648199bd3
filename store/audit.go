package store

import (
	"uzram/alloc"
	"uzram/internal/lockdep"
)

// audit is what a check has derived from the slot table so far. The check weighs
// slots in ascending order while I/O is held up; in between, requests report
// what they change in slots that were weighed already. So once all are weighed
// the sums are those of the whole table at that moment.
type audit struct {
	cursor uint64 // slots below were weighed; changes only while I/O is held up

	mu      lockdep.Mutex[lockdep.LeafRank]
	sum     tally
	objects map[int]int64      // by class
	cells   map[uint64]cellUse // same-filled elements outside of the words
	blocks  []int32            // of the backing device: how many slots name each
}

// cellUse is who names a cell. Requests may report out of order, so names may
// fall below 0 until the last of them has ended.
type cellUse struct {
	names int
	slot  uint64 // the last of them
}

func (a *audit) init(b *backing) {
	a.objects, a.cells = make(map[int]int64), make(map[uint64]cellUse)
	if b != nil {
		a.blocks = make([]int32, b.reach.Load()) // grows under passMu, which a check holds
	}
}

// replaced notes that slot i now has e instead of old.
func (a *audit) replaced(i uint64, old, e entry) {
	if i >= a.cursor {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(i, old, -1)
	a.add(i, e, 1)
}

// weigh adds slot i, which has e, and returns how the element of e is used, if
// it is outside of the word.
func (a *audit) weigh(i uint64, e entry) (before cellUse) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.add(i, e, 1)
}

func (a *audit) add(i uint64, e entry, sign int) (before cellUse) {
	a.sum.weigh(e, int64(sign))
	if e.kind() == kindObject && e.size() >= 1 && e.size() <= PageSize {
		a.objects[alloc.ClassIndex(e.size())] += int64(sign)
	}
	if e.kind() == kindBlock && e.block() < uint64(len(a.blocks)) {
		a.blocks[e.block()] += int32(sign)
	}
	cell, outside := e.cell()
	if !outside {
		return before
	}
	before = a.cells[cell]
	if now := before.names + sign; now != 0 {
		a.cells[cell] = cellUse{now, i}
	} else {
		delete(a.cells, cell)
	}
	return before
}
