package store

import (
	"testing"
)

// The tables take memory for the blocks that were in use, and no more.
func TestTablesReach(t *testing.T) {
	const blocks = 3*reachStep + 100
	w := writebackSettings{state: newState(1)}
	w.compressed.Store(true)
	w.pack.Store(true)
	w.encrypt.Store(true)
	b, err := newBacking(sparseBacking{blocks * PageSize}, blocks, &w, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.closeTables)
	take := func(n int) []uint64 {
		t.Helper()
		list, err := b.take(make([]uint64, n))
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	empty := b.memory()
	const each = 24 + 4 // a seal and a count
	steps := func(n uint64) {
		t.Helper()
		if grown := b.memory() - empty; b.reach.Load() != min(n*reachStep, blocks) || grown < b.reach.Load()*each || grown > b.reach.Load()*each+4*PageSize {
			t.Errorf("tables of %d bytes more reach %d blocks, want %d steps", grown, b.reach.Load(), n)
		}
	}
	steps(0)
	for i, n := range []int{1, reachStep - 1, 1, reachStep + 10} {
		if got := take(n); len(got) != n {
			t.Fatalf("%d blocks, want %d", len(got), n)
		}
		steps([]uint64{1, 1, 2, 3}[i])
	}
	if got := take(blocks); len(got) != reachStep-11+100 || b.used.Load() != blocks {
		t.Errorf("%d blocks more, %d in use of %d", len(got), b.used.Load(), blocks)
	}
	steps(4)
	for block := range uint64(blocks + 64) {
		if b.isTaken(block) != (block < blocks) {
			t.Fatalf("block %d is taken: %v", block, b.isTaken(block))
		}
	}
	b.give(2 * reachStep)
	if got := take(2); len(got) != 1 || got[0] != 2*reachStep {
		t.Errorf("blocks %v, want the one that came free", got)
	}
}

// sparseBacking has a size and nothing else.
type sparseBacking struct{ size int64 }

func (b sparseBacking) Size() int64                        { return b.size }
func (b sparseBacking) Path() string                       { return "/sparse" }
func (b sparseBacking) Close() error                       { return nil }
func (b sparseBacking) ReadAt([]byte, int64) (int, error)  { panic("read") }
func (b sparseBacking) WriteAt([]byte, int64) (int, error) { panic("written") }
