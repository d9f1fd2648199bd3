package soak

import (
	"sync/atomic"

	"uzram/store"
)

// life is what is known of a disk from one reset to the next.
type life struct {
	seed   uint64
	shared int64 // bytes of the part that all write
	size   int64
	pages  []pageShadow
	strips []strip // by worker
	books  []books // by worker

	// Do not change once the disk is set up.
	secondary int    // algorithms
	blocks    uint64 // of the backing device; 0 = none
	packed    bool   // several pages may share a block

	began  atomic.Int64 // when the disk was set up, 0 = not yet
	ending spell        // somebody tries to reset it
	gone   atomic.Int64 // requests since that found it not set up
}

// newLife is a disk of so many shared pages, all zeros.
func newLife(seed, pages uint64, workers int) *life {
	l := &life{
		seed: seed, shared: int64(pages) * store.PageSize,
		pages: make([]pageShadow, pages), strips: make([]strip, workers), books: make([]books, workers),
	}
	l.size = l.shared
	for i := range l.strips {
		l.strips[i] = strip{l.size, make([]byte, stripBytes)}
		l.size += stripBytes
	}
	l.size = (l.size + store.PageSize - 1) / store.PageSize * store.PageSize
	return l
}

// steady reports whether the disk was set up all the time since begin.
func (l *life) steady(begin int64) bool {
	began := l.began.Load()
	return began != 0 && began < begin && !l.ending.touched(begin)
}

// books are one worker's requests, as far as the device counts them. Perhaps it
// counted the unsure ones too.
type books struct {
	sure, unsure tally
	_            [64]byte
}

type tally struct{ notifyFree, missFree, failedReads, failedWrites uint64 }

func (t *tally) add(u tally) {
	t.notifyFree += u.notifyFree
	t.missFree += u.missFree
	t.failedReads += u.failedReads
	t.failedWrites += u.failedWrites
}

// spell is a time in which something may happen. Who began before its end may
// have met it.
type spell struct {
	on    atomic.Bool
	until atomic.Int64
}

func (p *spell) begin() { p.on.Store(true) }

func (p *spell) end(now int64) {
	p.until.Store(now)
	p.on.Store(false)
}

func (p *spell) touched(begin int64) bool { return p.on.Load() || p.until.Load() >= begin }
