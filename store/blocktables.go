package store

import (
	"fmt"
	"slices"
	"sync/atomic"

	"uzram/internal/lockdep"
	"uzram/internal/offheap"
)

// blockTables are what is known of each block of a backing device. A device may
// have very many, of which few are ever used, so there is memory for those below
// reach only.
type blockTables struct {
	growMu lockdep.Mutex[lockdep.LeafRank] // for extendTo
	blocks uint64
	taken  []atomic.Uint64 // a bit for each block
	shares []atomic.Int32  // objects of each block; nil where a block has one
	reach  atomic.Uint64   // blocks; grows when none below is free
	tables []blockTable
}

type blockTable struct {
	arena *offheap.Arena
	bits  uint64 // for a block
}

// reachStep is how many blocks the tables grow by: whole words of taken.
const reachStep = 1 << 12

// newTable adds a table of so many bits for each block. ENOMEM.
func (t *blockTables) newTable(purpose offheap.Purpose, bits uint64) (*offheap.Arena, error) {
	arena, err := offheap.New(purpose, wordsOf(t.blocks*bits)*8, max(1, bits/8))
	if err == nil {
		t.tables = append(t.tables, blockTable{arena, bits})
	}
	return arena, err
}

// extend has the tables reach further. ENOMEM; nothing has changed then.
func (t *blockTables) extend() error {
	from := t.reach.Load()
	to := min(from+reachStep, t.blocks)
	for _, table := range t.tables {
		if err := table.arena.PopulateData(from*table.bits/8, (to*table.bits+7)/8); err != nil {
			return fmt.Errorf("tables of the backing device: %w", err)
		}
	}
	t.reach.Store(to)
	return nil
}

// extendTo has the tables reach a block, for several callers at a time. ENOMEM.
func (t *blockTables) extendTo(block uint64) error {
	if block < t.reach.Load() {
		return nil
	}
	t.growMu.Lock()
	defer t.growMu.Unlock()
	for block >= t.reach.Load() {
		if err := t.extend(); err != nil {
			return err
		}
	}
	return nil
}

// letGo forgets a table that is not to be closed with the others.
func (t *blockTables) letGo(arena *offheap.Arena) {
	t.tables = slices.DeleteFunc(t.tables, func(table blockTable) bool { return table.arena == arena })
}

// memory is what the tables take, in bytes.
func (t *blockTables) memory() (sum uint64) {
	for _, table := range t.tables {
		sum += table.arena.Resident()
	}
	return sum
}

// closeTables does not close the device.
func (t *blockTables) closeTables() {
	for _, table := range t.tables {
		table.arena.Close()
	}
}
