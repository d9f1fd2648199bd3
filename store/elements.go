package store

import (
	"fmt"
	"math/bits"
	"sync/atomic"

	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
)

// elements holds the 64-bit elements of same-filled pages that do not fit into
// a commit word: neither 60 bits sign-extended nor a repeated 32-bit half. Each
// such slot has a cell of its own, so a cell is written only while no word
// names it, and is read under its slot's lock.
type elements struct {
	cells []uint64
	arena *offheap.Arena

	mu   lockdep.Mutex[lockdep.LeafRank]
	top  uint64 // cells from here on were never used
	free uint64 // head of the free cells' list, plus 1; a free cell holds the next, plus 1
	used uint64
}

const cellBytes = 8

func newElements(slots uint64) (*elements, error) {
	// One more for each worker would do; a page more covers any crew.
	n := slots + PageSize/cellBytes
	arena, err := offheap.New(offheap.SameFilledElements, n*cellBytes, cellBytes)
	if err != nil {
		return nil, fmt.Errorf("same-filled elements: %w", err)
	}
	return &elements{cells: offheap.View[uint64](arena, n), arena: arena}, nil
}

// elementsIn is the elements that a process before us left in an arena. Which
// cells are in use is for adopt to say.
func elementsIn(arena *offheap.Arena) *elements {
	n := uint64(len(arena.Data())) / cellBytes
	return &elements{cells: offheap.View[uint64](arena, n), arena: arena}
}

// backed is how many cells may have memory.
func (e *elements) backed() uint64 {
	last := uint64(offheap.HeaderSize)
	for start, end := e.arena.NextData(last); start < end; start, end = e.arena.NextData(end) {
		last = end
	}
	return (last - offheap.HeaderSize) / cellBytes
}

// adopt takes the cells that named has a bit for as in use, and all others as
// free. named is as long as backed says.
func (e *elements) adopt(named []atomic.Uint64) {
	for i := range named {
		for word := named[i].Load(); word != 0; word &= word - 1 {
			e.top = uint64(i)*64 + uint64(bits.TrailingZeros64(word)) + 1
			e.used++
		}
	}
	for i := e.top; i > 0; i-- {
		if cell := i - 1; named[cell/64].Load()&(1<<(cell%64)) == 0 {
			e.cells[cell] = e.free
			e.free = i
		}
	}
}

func (e *elements) close() { e.arena.Close() }

// put stores an element and returns its index.
func (e *elements) put(element uint64) (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var i uint64
	if e.free != 0 {
		i = e.free - 1
		e.free = e.cells[i]
	} else {
		if e.top == uint64(len(e.cells)) {
			return 0, ErrNoMemory
		}
		if e.top%(PageSize/cellBytes) == 0 {
			if err := e.arena.PopulateData(e.top*cellBytes, (e.top+1)*cellBytes); err != nil {
				return 0, fmt.Errorf("same-filled elements: %w (%v)", ErrNoMemory, err)
			}
		}
		i = e.top
		e.top++
	}
	e.cells[i] = element
	failpoint.Hit(failpoint.ElementPut)
	e.used++
	return i, nil
}

func (e *elements) get(i uint64) uint64 { return e.cells[i] }

// drop frees a cell that no word names any more.
func (e *elements) drop(i uint64) {
	e.mu.Lock()
	failpoint.Hit(failpoint.ElementFree)
	e.cells[i] = e.free
	e.free = i + 1
	e.used--
	e.mu.Unlock()
}
