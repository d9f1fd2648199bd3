package store

import (
	"slices"
	"sync"
	"sync/atomic"

	"uzram/internal/offheap"
	"uzram/internal/snapshot"
)

// A snapshot reads what lies on the backing device ahead of its walk: the blocks
// of slots to come, each once, neighbours by one read, several reads at a time.
//
// That needs no slot's lock. The walk holds passMu, so nobody takes a block, and
// what is on one stays there even if its slots are emptied meanwhile; whether a
// slot still names it is looked at under the slot's lock, as ever. So what was
// read is good until passMu is let go.

const (
	aheadBlocks   = 256 // a section's worth of pages
	aheadTogether = 32  // blocks of one read at most
	aheadReads    = 8   // under way at most
)

// blocksAhead are blocks that were read.
type blocksAhead struct {
	arena  *offheap.Arena
	data   []byte   // of blocks
	blocks []uint64 // ascending
	next   uint64   // the first slot that was not looked at
	good   [aheadBlocks]bool
}

// open has memory for the blocks. ENOMEM.
func (a *blocksAhead) open() (err error) {
	const size = aheadBlocks * PageSize
	if a.arena, err = offheap.New(offheap.Scratch, size, PageSize); err != nil {
		return err
	}
	a.data, a.blocks = a.arena.Data()[:size], make([]uint64, 0, aheadBlocks)
	return a.arena.PopulateData(0, size)
}

func (a *blocksAhead) close() {
	if a.arena != nil {
		a.arena.Close()
	}
}

// forget is for when passMu is about to be let go.
func (a *blocksAhead) forget() { a.blocks, a.next = a.blocks[:0], 0 }

// find returns a block that was read.
func (a *blocksAhead) find(block uint64) ([]byte, bool) {
	k, ok := slices.BinarySearch(a.blocks, block)
	if !ok || !a.good[k] {
		return nil, false
	}
	return a.data[k*PageSize:][:PageSize], true
}

// readAhead reads the blocks of slots from i on and before end, as many as w may
// have room for.
func (r *snapshotRun) readAhead(w *snapshot.Writer, i, end uint64) {
	a := &r.ahead
	a.forget()
	const most = snapshot.RecordHeader + PageSize
	room := w.Room()
	for i < end && len(a.blocks) < aheadBlocks && room >= most {
		var to uint64
		for i, to = r.past.touchedRange(i, end); i < to && len(a.blocks) < aheadBlocks && room >= most; i++ {
			e := r.table.load(i)
			if e.kind() == kindEmpty || r.isDone(i) {
				continue
			}
			room -= snapshot.RecordHeader
			if e.packed() {
				room -= e.size()
			}
			if e.kind() == kindBlock {
				a.blocks = append(a.blocks, e.block())
			}
		}
	}
	a.next = i
	slices.Sort(a.blocks)
	a.blocks = slices.Compact(a.blocks)
	a.read(r.backing)
}

// read reads the blocks of the list. One that cannot be read is left to him who
// needs it, so that he has the error.
func (a *blocksAhead) read(b *backing) {
	var starts [aheadBlocks + 1]int // of reads
	n := 0
	for from := 0; from < len(a.blocks); n++ {
		starts[n], from = from, a.together(from)
	}
	starts[n] = len(a.blocks)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, aheadReads) {
		wg.Go(func() {
			for k := next.Add(1) - 1; k < int64(n); k = next.Add(1) - 1 {
				from, to := starts[k], starts[k+1]
				ok := b.readMany(a.data[from*PageSize:to*PageSize], a.blocks[from]) == nil
				for i := from; i < to; i++ {
					a.good[i] = ok
				}
			}
		})
	}
	wg.Wait()
}

// together is the end of those that are read with the block at from of the list.
func (a *blocksAhead) together(from int) (to int) {
	for to = from + 1; to < len(a.blocks) && to-from < aheadTogether && a.blocks[to] == a.blocks[to-1]+1; {
		to++
	}
	return to
}
