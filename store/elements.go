package store

import (
	"fmt"
	"syscall"

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
				return 0, fmt.Errorf("same-filled elements: %w (%v)", syscall.EIO, err)
			}
		}
		i = e.top
		e.top++
	}
	e.cells[i] = element
	e.used++
	return i, nil
}

func (e *elements) get(i uint64) uint64 { return e.cells[i] }

// drop frees a cell that no word names any more.
func (e *elements) drop(i uint64) {
	e.mu.Lock()
	e.cells[i] = e.free
	e.free = i + 1
	e.used--
	e.mu.Unlock()
}
