package alloc

import (
	"fmt"
	"math/bits"
	"syscall"

	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
)

// Warm runs: free, but still (or already) populated, so that taking one neither
// asks the system for memory nor can fail. Each worker has a few of his own
// (local); these are the bounds of the common stock, per chain length.
const (
	warmLow    = 4  // fewer: wake the refiller
	warmTarget = 12 // it stops here
	warmMax    = 24 // a freed run beyond this goes back to the system
)

// frame is 8 pages of address space. Guarded by runs.mu; chain is immutable
// while a run of the frame is in use.
type frame struct {
	next, prev uint32 // list of frames of this chain length with a free run, or of empty frames
	chain      uint8  // pages in each of its runs; 0 = empty frame
	taken      uint8  // bit i: run i is in use or warm
	_          uint16
}

// runs hands out stretches of 1 to 8 contiguous pages.
type runs struct {
	arena  *offheap.Arena
	grow   func(from, to uint32) error // backs the descriptors of frames [from, to) with memory
	locals []local                     // the workers' own warm runs
	wipe   bool                        // what is handed out holds no old contents

	mu      lockdep.Mutex[lockdep.LeafRank]
	frames  []frame
	backed  uint32                   // frames below have descriptors backed with memory
	top     uint32                   // frames from here on were never used
	empty   uint32                   // list of frames without chain length
	partial [framePages + 1]uint32   // by chain length: frames with a free run
	warm    [framePages + 1][]uint32 // by chain length: first pages of warm runs
	filling uint32                   // first page of the run that the refiller has in hand; 0 = none
	wanted  [framePages + 1]bool     // chain lengths somebody has asked for
	cooling cooling
	sweep   sweep
	wake    chan struct{} // tells the refiller that a stock is low
}

func (r *runs) init(arena *offheap.Arena, frames []frame, grow func(from, to uint32) error, locals []local) {
	r.arena, r.frames, r.grow, r.locals = arena, frames, grow, locals
	r.top = 1 // frame 0 has the arena's header
	for n := range r.warm {
		r.warm[n] = make([]uint32, 0, warmMax+1)
	}
	r.cooling.init()
	r.wake = make(chan struct{}, 1)
}

// get returns the first page of a populated run of n pages, the worker's own if
// he has one. Errors wrap ENOMEM.
func (r *runs) get(n int, l *local) (uint32, error) {
	if l != nil {
		if page := l.takeRun(n); page != 0 {
			return page, nil
		}
	}
	r.mu.Lock()
	r.wanted[n] = true
	if page := r.takeWarm(n); page != 0 {
		for l != nil && len(r.warm[n]) > warmLow && l.hasRoom(n) {
			l.putRun(r.takeWarm(n), n)
		}
		r.mu.Unlock()
		return page, nil
	}
	r.mu.Unlock()
	page, err := r.fresh(n)
	if err != nil && r.giveCooled() {
		page, err = r.fresh(n)
	}
	if err != nil && r.sweep.await() {
		page, err = r.fresh(n)
	}
	if err != nil {
		return r.takeFromOthers(n, err)
	}
	return page, nil
}

// fresh populates a run of n pages.
func (r *runs) fresh(n int) (uint32, error) {
	r.mu.Lock()
	page, err := r.reserve(n)
	stale := r.stale(page)
	r.mu.Unlock()
	if err != nil {
		return 0, err
	}
	if stale {
		r.punch(page, n)
	}
	return page, r.populate(page, n)
}

// stale reports whether a run just reserved may have contents that must not be
// seen again, with mu held.
func (r *runs) stale(page uint32) bool { return r.wipe && r.sweep.keeps(page/framePages) }

// takeWarm takes a run of the common stock, with mu held; 0 = none.
func (r *runs) takeWarm(n int) uint32 {
	stock := r.warm[n]
	if len(stock) <= warmLow {
		r.wakeRefiller()
	}
	if len(stock) == 0 {
		return r.takeCool(n)
	}
	page := stock[len(stock)-1]
	r.warm[n] = stock[:len(stock)-1]
	return page
}

func (r *runs) wakeRefiller() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// takeFromOthers is a warm run of n pages of any worker, or none because of err.
func (r *runs) takeFromOthers(n int, err error) (uint32, error) {
	for i := range r.locals {
		if page := r.locals[i].takeRun(n); page != 0 {
			return page, nil
		}
	}
	return 0, err
}

// put takes a run back, and its memory unless a stock wants it.
func (r *runs) put(page uint32, n int, l *local) {
	if l != nil && l.hasRoom(n) {
		l.putRun(page, n)
		return
	}
	r.mu.Lock()
	if len(r.warm[n]) < warmMax {
		r.warm[n] = append(r.warm[n], page)
		r.mu.Unlock()
		return
	}
	cools, many := r.cooling.add(page, n), r.cooling.many()
	r.mu.Unlock()
	if !cools {
		r.giveBack(page, n)
	}
	switch {
	case !many:
	case l != nil:
		r.wakeRefiller() // a worker has better things to do
	default:
		r.giveCooled()
	}
}

// populate backs a reserved run with memory, or releases it.
func (r *runs) populate(page uint32, n int) error {
	if err := r.arena.Populate(int(runOffset(page)), n*PageSize); err != nil {
		r.giveBack(page, n)
		return err
	}
	return nil
}

func (r *runs) giveBack(page uint32, n int) {
	r.punch(page, n)
	failpoint.Hit(failpoint.PoolPunched)
	r.mu.Lock()
	r.release(page)
	r.mu.Unlock()
}

// punch gives a run's memory back. If that fails, it stays behind a free run;
// the next user of the run takes it over, so nothing is lost but the moment.
func (r *runs) punch(page uint32, n int) {
	_ = r.arena.Punch(int(runOffset(page)), n*PageSize)
}

// reserve takes address space for a run of n pages, with mu held.
func (r *runs) reserve(n int) (_ uint32, err error) {
	per := framePages / n
	i := r.partial[n]
	if i == 0 {
		if i = r.empty; i != 0 {
			r.unlink(&r.empty, i)
		} else if i, err = r.newFrame(); err != nil {
			return 0, err
		}
		r.frames[i].chain, r.frames[i].taken = uint8(n), 0
		r.link(&r.partial[n], i)
	}
	f := &r.frames[i]
	run := bits.TrailingZeros8(^f.taken)
	f.taken |= 1 << run
	if bits.OnesCount8(f.taken) == per {
		r.unlink(&r.partial[n], i)
	}
	return i*framePages + uint32(run*n), nil
}

// growFrames is how many frames get their descriptors backed at a time: 32 KiB
// of zspages, 3 KiB of frames.
const growFrames = 256

// newFrame is a frame that was never used, with mu held. The refiller has mostly
// backed its descriptors before.
func (r *runs) newFrame() (uint32, error) {
	i := r.top
	if int(i) == len(r.frames) {
		return 0, fmt.Errorf("pool: address space of %d frames is used up: %w", len(r.frames), syscall.ENOMEM)
	}
	if i >= r.backed {
		to := min(i/growFrames*growFrames+growFrames, uint32(len(r.frames)))
		if err := r.grow(i, to); err != nil {
			return 0, err
		}
		r.backed = to
	}
	r.top++
	return i, nil
}

// release returns a run's address space, with mu held.
func (r *runs) release(page uint32) {
	i := page / framePages
	f := &r.frames[i]
	n := int(f.chain)
	full := bits.OnesCount8(f.taken) == framePages/n
	f.taken &^= 1 << (int(page%framePages) / n)
	switch {
	case f.taken == 0:
		if !full {
			r.unlink(&r.partial[n], i)
		}
		f.chain = 0
		if !r.sweep.keeps(i) {
			r.link(&r.empty, i)
		}
	case full:
		r.link(&r.partial[n], i)
	}
}

// first is the first page of the run that page belongs to; the run is in use.
func (r *runs) first(page uint32) uint32 {
	n := uint32(r.frames[page/framePages].chain)
	return page - page%framePages%n
}

// end is the frame behind all that were ever used.
func (r *runs) end() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.top
}

// inUse is first for any page number, with whether that is a run in use.
func (r *runs) inUse(page uint32) (first uint32, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := page / framePages
	if i == 0 || i >= r.top || r.frames[i].chain == 0 {
		return 0, false
	}
	run := page % framePages / uint32(r.frames[i].chain)
	return r.first(page), r.frames[i].taken&(1<<run) != 0
}

func (r *runs) link(head *uint32, i uint32) {
	f := &r.frames[i]
	f.prev, f.next = 0, *head
	if *head != 0 {
		r.frames[*head].prev = i
	}
	*head = i
}

func (r *runs) unlink(head *uint32, i uint32) {
	f := &r.frames[i]
	if f.prev != 0 {
		r.frames[f.prev].next = f.next
	} else {
		*head = f.next
	}
	if f.next != 0 {
		r.frames[f.next].prev = f.prev
	}
}

// refill tops up the stocks until wake is closed. It runs beside the I/O path,
// so that this path seldom has to wait for memory.
func (r *runs) refill() {
	for range r.wake {
		r.backAhead()
		for n := 1; n <= framePages; n++ {
			for r.warmOne(n) {
			}
		}
		r.mu.Lock()
		many := r.cooling.many()
		r.mu.Unlock()
		if many {
			r.giveCooled()
		}
	}
}

// backAhead backs the descriptors of frames to come. Without mu held: where
// memory is short this waits, and who takes a warm run must not wait for it.
func (r *runs) backAhead() {
	r.mu.Lock()
	from, to := r.backed, min(r.top+growFrames, uint32(len(r.frames)))
	r.mu.Unlock()
	if from >= to || r.grow(from, to) != nil {
		return
	}
	r.mu.Lock()
	r.backed = max(r.backed, to)
	r.mu.Unlock()
}

// warmOne adds a run of n pages to the common stock; false when that has enough
// or the system has no memory.
func (r *runs) warmOne(n int) bool {
	r.mu.Lock()
	if !r.wanted[n] || len(r.warm[n]) >= warmTarget {
		r.mu.Unlock()
		return false
	}
	if page := r.takeCool(n); page != 0 {
		r.warm[n] = append(r.warm[n], page)
		r.mu.Unlock()
		return true
	}
	page, err := r.reserve(n)
	r.filling = page
	stale := r.stale(page)
	r.mu.Unlock()
	if err != nil {
		return false
	}
	if stale {
		r.punch(page, n)
	}
	err = r.arena.Populate(int(runOffset(page)), n*PageSize)
	if err != nil {
		r.punch(page, n)
	}
	r.mu.Lock()
	r.filling = 0 // no sooner: who looks at the runs must know whose this one is
	if err == nil {
		r.warm[n] = append(r.warm[n], page) // at most one above warmMax
	} else {
		r.release(page)
	}
	r.mu.Unlock()
	return err == nil
}

// warmRuns calls yield for each warm run, with mu held.
func (r *runs) warmRuns(yield func(page uint32, n int)) {
	for n, stock := range r.warm {
		for _, page := range stock {
			yield(page, n)
		}
	}
	for _, list := range [][]uint32{r.cooling.runs, r.cooling.back, r.sweep.held} {
		for _, page := range list {
			yield(page, r.length(page))
		}
	}
	for i := range r.locals {
		for n := range r.locals[i].runs {
			for j := range r.locals[i].runs[n] {
				if page := r.locals[i].runs[n][j].Load(); page != 0 {
					yield(page, n)
				}
			}
		}
	}
}

// warmPages is how many pages the stocks hold.
func (r *runs) warmPages() (pages uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warmRuns(func(_ uint32, n int) { pages += uint64(n) })
	return pages
}
