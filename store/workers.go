package store

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"uzram/compress"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
	"uzram/internal/park"
)

// Workers is the crew that does I/O, on one device or on many.
type Workers struct {
	scratch []*Scratch // the last is for verbs
	arena   *offheap.Arena
	verbMu  lockdep.Mutex[lockdep.CrewRank] // whose holder has the last scratch
}

// Scratch is what one worker needs to serve a request without asking for
// memory. It belongs to one goroutine at a time.
type Scratch struct {
	inside atomic.Uint32          // how often the worker came and went; odd while it may use a device's live state
	at     atomic.Pointer[Device] // which device; changes while inside is even
	_      [48]byte               // read by others: keep what is the worker's own off this line

	id     int
	waiter *park.Waiter
	page   []byte // one page, for partial I/O, with slack behind it for wide copies
	dst    []byte // compressed page
	block  []byte // of the backing device, aligned for direct I/O, with room behind it for its seal
	seal   [nonceSize + 8]byte
	behind [tagSize]byte
	now    uint32 // seconds since boot when the request began
	tally  tally  // what the request did, not yet counted
	_      [52]byte
}

// slack is how far a codec's wide copies may read behind a page.
const slack = 64

// NewWorkers makes a crew of n. ENOMEM: no memory for their buffers, a few KiB
// each.
func NewWorkers(n int) (*Workers, error) {
	n++
	dst := (compress.DstSize(PageSize) + 4095) &^ 4095
	each := PageSize + PageSize + dst + 2*PageSize // page, slack, output, block with its seal
	arena, err := offheap.New(offheap.Scratch, uint64(n*each), uint64(each))
	if err != nil {
		return nil, fmt.Errorf("workers' buffers: %w", err)
	}
	if err := arena.PopulateData(0, uint64(n*each)); err != nil {
		arena.Close()
		return nil, fmt.Errorf("workers' buffers: %w", err)
	}
	w := &Workers{arena: arena}
	for i := range n {
		b := arena.Data()[i*each : (i+1)*each]
		w.scratch = append(w.scratch, &Scratch{
			id:     i,
			waiter: park.NewWaiter(),
			page:   b[: PageSize : PageSize+slack],
			dst:    b[2*PageSize : 2*PageSize+dst],
			block:  b[2*PageSize+dst:][:PageSize+sealOverhead],
		})
	}
	return w, nil
}

// Len is the size of the crew.
func (w *Workers) Len() int { return len(w.scratch) - 1 }

// Scratch is worker i's own.
func (w *Workers) Scratch(i int) *Scratch { return w.scratch[i] }

// AsVerb lends f a scratch for requests that are no worker's and move no data.
func (w *Workers) AsVerb(f func(*Scratch)) {
	w.verbMu.Lock()
	defer w.verbMu.Unlock()
	f(w.scratch[w.Len()])
}

// A Scratch shares no cache line with its neighbour on the heap, which aligns
// objects of this size to it.
var _ [320]byte = [unsafe.Sizeof(Scratch{})]byte{}
