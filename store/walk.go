package store

import (
	"uzram/alloc"
	"uzram/internal/park"
)

// SlotState is what block_state and page_state show of a slot that is in use.
type SlotState struct {
	Index                                                       uint64
	Seconds                                                     uint32 // of the last access, since boot
	Same, WrittenBack, Huge, Idle, Recompressed, Incompressible bool
	Size                                                        int // of the object in bytes; 0 = none is in memory
	Priority                                                    int // of the algorithm that compressed the page
}

// Slots calls yield for each slot in use, ascending from slot from, until it
// returns false. Each state is right at its moment; the whole is no snapshot.
// EINVAL before set-up.
func (d *Device) Slots(from uint64, yield func(SlotState) bool) error {
	return d.withLive(func(l *live) error {
		end := uint64(len(l.table.slots))
		for i := from; i < end; {
			var to uint64
			for i, to = l.table.touchedRange(i, end); i < to; i++ {
				s := &l.table.slots[i]
				e, aux := entry(s.word.Load()), s.aux.Load()
				if e.kind() == kindEmpty {
					continue
				}
				state := SlotState{
					Index:          i,
					Seconds:        aux & secondsMask,
					Same:           e.kind() == kindSame && e != lostEntry,
					WrittenBack:    e.kind() == kindBlock,
					Huge:           e.wasHuge(),
					Idle:           aux&idleMark != 0,
					Recompressed:   e.recompressed(),
					Incompressible: e.incompressible(),
				}
				if e.kind() == kindObject {
					state.Size = e.size()
				}
				if e.packed() {
					state.Priority = e.priority()
				}
				if !yield(state) {
					return nil
				}
			}
		}
		return nil
	})
}

// MarkIdle marks every slot that holds memory; the next access takes the mark
// off. EINVAL before set-up.
func (d *Device) MarkIdle() error { return d.markIdle(secondsMask + 1) }

// MarkIdleSince marks every slot that holds memory and was last used more than
// age seconds ago, and takes the mark off the others. An age that reaches back
// to the boot marks nothing and unmarks nothing, and is no error before set-up,
// as in the kernel. EINVAL before set-up.
func (d *Device) MarkIdleSince(age uint32) error {
	now := bootSeconds()
	if age >= now {
		return nil
	}
	return d.markIdle(now - age)
}

// markIdle marks the slots that were last used before a second, and no others.
func (d *Device) markIdle(before uint32) error {
	return d.withLive(func(l *live) error {
		l.passMu.Lock()
		defer l.passMu.Unlock()
		w := park.NewWaiter()
		end := uint64(len(l.table.slots))
		for i := uint64(0); i < end; {
			var to uint64
			for i, to = l.table.touchedRange(i, end); i < to; i++ {
				if l.table.load(i).kind() != kindObject {
					continue
				}
				l.table.rlock(i, w)
				if s := &l.table.slots[i]; entry(s.word.Load()).kind() == kindObject {
					s.markIdle(before)
				}
				l.table.runlock(i)
			}
		}
		return nil
	})
}

// markIdle sets or clears the idle mark by the time of the last access, under
// the read lock. Readers may be storing theirs, which wins.
func (s *slot) markIdle(before uint32) {
	for {
		aux := s.aux.Load()
		marked := aux &^ idleMark
		if aux&secondsMask < before {
			marked |= idleMark
		}
		if marked == aux || s.aux.CompareAndSwap(aux, marked) {
			return
		}
	}
}

// ClassRow is one distinct size class of the pool.
type ClassRow = alloc.ClassStats

// Classes describes the pool's size classes, ascending. EINVAL before set-up.
func (d *Device) Classes() (rows []ClassRow, err error) {
	err = d.withLive(func(l *live) error {
		rows = l.pool.Classes()
		return nil
	})
	return rows, err
}
