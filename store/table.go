package store

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"syscall"

	"uzram/internal/invariants"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
	"uzram/internal/park"
)

// slot is one page's place. Layout and size are part of the arena's format.
type slot struct {
	word atomic.Uint64 // entry; written under the write lock
	lock atomic.Uint32 // internal/park
	aux  atomic.Uint32 // access time and marks; under either lock
}

const (
	slotBytes     = 16
	slotsPerTouch = PageSize / slotBytes // slots of one page of the table
	idleMark      = 1 << 31
	postMark      = 1 << 30   // under post-processing
	secondsMask   = 1<<30 - 1 // since boot: 34 years
)

// table is the slots of a disk, touched lazily: a page of it (256 slots, 1 MiB
// of disk) has memory only once one of its slots was written. Reading an
// untouched page of a memfd would take memory too, hence the bitmap.
type table struct {
	slots   []slot
	touched []atomic.Uint64 // a bit for each page of the table; set before its first write, never cleared
	room    park.Room
	arena   *offheap.Arena
}

func newTable(slots uint64) (*table, error) {
	arena, err := offheap.New(offheap.SlotTable, slots*slotBytes, slotBytes)
	if err != nil {
		return nil, fmt.Errorf("slot table: %w", err)
	}
	return viewTable(arena, slots), nil
}

func viewTable(arena *offheap.Arena, slots uint64) *table {
	pages := (slots + slotsPerTouch - 1) / slotsPerTouch
	return &table{
		slots:   offheap.View[slot](arena, slots),
		touched: make([]atomic.Uint64, (pages+63)/64),
		arena:   arena,
	}
}

// tableIn is the table that a process before us left in an arena. EINVAL: it is
// too small; the arena is the caller's then.
func tableIn(arena *offheap.Arena, slots uint64) (*table, error) {
	if has := uint64(len(arena.Data())) / slotBytes; has < slots {
		return nil, fmt.Errorf("a table of %d slots, want %d: %w", has, slots, syscall.EINVAL)
	}
	t := viewTable(arena, slots)
	pages := (slots + slotsPerTouch - 1) / slotsPerTouch
	for start, end := arena.NextData(offheap.HeaderSize); start < end; start, end = arena.NextData(end) {
		first, last := start/PageSize-1, end/PageSize-1 // behind the header
		for p := first; p < min(last, pages); p++ {
			t.touched[p/64].Or(1 << (p % 64))
		}
	}
	return t, nil
}

func (t *table) close() { t.arena.Close() }

// isTouched reports whether slot i may be anything but empty.
func (t *table) isTouched(i uint64) bool {
	p := i / slotsPerTouch
	return t.touched[p/64].Load()&(1<<(p%64)) != 0
}

// touch backs slot i with memory, so that writing it cannot fail.
func (t *table) touch(i uint64) error {
	if t.isTouched(i) {
		return nil
	}
	p := i / slotsPerTouch
	if err := t.arena.PopulateData(p*PageSize, (p+1)*PageSize); err != nil {
		return fmt.Errorf("slot table: %w (%v)", ErrNoMemory, err)
	}
	t.touched[p/64].Or(1 << (p % 64))
	return nil
}

// touchedRange returns the first stretch [from, to) of slots at or after i, and
// before end, that lies in touched pages of the table; from == end if there is
// none.
func (t *table) touchedRange(i, end uint64) (from, to uint64) {
	for i < end {
		p := i / slotsPerTouch
		left := t.touched[p/64].Load() >> (p % 64)
		if left&1 != 0 {
			return i, min((p+1)*slotsPerTouch, end)
		}
		skip := uint64(bits.TrailingZeros64(left))
		if left == 0 {
			skip = 64 - p%64
		}
		i = (p + skip) * slotsPerTouch
	}
	return end, end
}

// touchedEnd is the end of stretches from i on, and before end, that have at least
// n slots in touched pages; end if there are fewer.
func (t *table) touchedEnd(i, end, n uint64) uint64 {
	for seen := uint64(0); seen < n; {
		from, to := t.touchedRange(i, end)
		if from == end {
			return end
		}
		seen += to - from
		i = to
	}
	return i
}

// touchedRangeBelow returns the last stretch [from, to) of slots before end that
// lies in one touched page of the table; from == to == 0 if there is none.
func (t *table) touchedRangeBelow(end uint64) (from, to uint64) {
	for end > 0 {
		p := (end - 1) / slotsPerTouch
		left := t.touched[p/64].Load() << (63 - p%64) // bit 63 is page p's
		if left>>63 != 0 {
			return p * slotsPerTouch, end
		}
		skip := uint64(bits.LeadingZeros64(left))
		if left == 0 {
			skip = p%64 + 1
		}
		end = (p + 1 - skip) * slotsPerTouch
	}
	return 0, 0
}

// load is slot i's entry at this moment, without lock.
func (t *table) load(i uint64) entry {
	if !t.isTouched(i) {
		return 0
	}
	return entry(t.slots[i].word.Load())
}

// commit stores e as slot i's truth, with the write lock held, and returns what
// was there.
func (t *table) commit(i uint64, e entry, now uint32) (old entry) {
	old = entry(t.slots[i].word.Load())
	t.setWord(i, e)
	t.slots[i].aux.Store(now)
	return old
}

// setWord changes slot i's entry and nothing else, with the write lock held.
func (t *table) setWord(i uint64, e entry) {
	if invariants.Enabled {
		lockdep.AssertHeld(lockdep.Slot, t.lockID(i), lockdep.Write)
	}
	t.slots[i].word.Store(uint64(e))
}

// access notes that slot i was read, which takes its marks off.
func (t *table) access(i uint64, now uint32) {
	if aux := &t.slots[i].aux; aux.Load() != now {
		aux.Store(now)
	}
}
