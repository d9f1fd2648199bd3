package alloc

import (
	"iter"
	"sync/atomic"
	"unsafe"
)

// NoWorker stands for a caller of Alloc and Free who has no reserves.
const NoWorker = -1

// Sizes of a worker's reserves. What they hold others can have when they would
// need memory otherwise, so their size is no question of waste.
const (
	reserveObjects = 6 // of each class: with the count beside them a cache line
	localRuns      = 3 // of each chain length
)

// local is what one worker allocates from without a lock that others take.
type local struct {
	objects []reserve                                // by class
	runs    [framePages + 1][localRuns]atomic.Uint32 // first pages of warm runs, by chain length; 0 = none
	_       [60]byte
}

// Workers do not share a cache line.
var _ [3 * 64]byte = [unsafe.Sizeof(local{})]byte{}

// reserve is free objects of one class. Only its worker puts objects in, with
// class.mu held. He takes one out by a swap of its cell; whoever holds class.mu
// may do the same. For the zspage they are in use; their header says free.
//
// No handle comes back into a cell but by the worker himself, so a swap can
// never take a later tenant for the one that was seen.
type reserve struct {
	cells [reserveObjects]atomic.Uint64 // handles; 0 = none
	n     uint64                        // cells from here on are empty; the worker's own
	_     uint64
}

// take is the worker's own way to an object; 0 = none.
func (r *reserve) take() Handle {
	for r.n > 0 {
		r.n--
		if h := r.cells[r.n].Swap(0); h != 0 {
			return Handle(h)
		}
	}
	return 0
}

func (p *Pool) local(worker int) *local {
	if uint(worker) < uint(len(p.locals)) {
		return &p.locals[worker]
	}
	return nil
}

// stock fills a worker's empty reserve from the zspage at page, which stays in
// the pool for as long as it has an object that is in no reserve. c.mu is held.
func (p *Pool) stock(c *class, l *local, page uint32) {
	if l == nil {
		return
	}
	r := &l.objects[c.ordinal]
	z := &p.zspages[page]
	n := min(reserveObjects, c.objs-int(z.inuse))
	if n == 0 {
		return
	}
	for i := range n {
		off := p.take(c, page, z)
		p.setObjectHeader(off, linkHeader(0))
		r.cells[n-1-i].Store(uint64(handleAt(off)))
	}
	r.n = uint64(n)
	z.setLent(z.lent() + n)
	p.regroup(c, page, z)
}

// recall takes the objects of all reserves back into their zspages, with c.mu
// held, and reports whether there were any.
func (p *Pool) recall(c *class) (any bool) {
	for i := range p.locals {
		cells := &p.locals[i].objects[c.ordinal].cells
		for j := range cells {
			if cells[j].Load() == 0 {
				continue
			}
			if h := Handle(cells[j].Swap(0)); h != 0 {
				page := p.runs.first(h.page())
				z := &p.zspages[page]
				p.put(c, page, z, h.offset())
				p.regroup(c, page, z)
				any = true
			}
		}
	}
	return any
}

// recallLast takes the objects of one zspage out of the reserves if nothing else
// is left in it, with c.mu held. One that its worker takes meanwhile stays.
func (p *Pool) recallLast(c *class, page uint32, z *zspage) {
	if z.inuse == 0 || int(z.inuse) > reserveObjects*len(p.locals) {
		return
	}
	n := 0
	for range p.reservedIn(c, page) {
		n++
	}
	z.setLent(n)
	if n < int(z.inuse) {
		return
	}
	for cell := range p.reservedIn(c, page) {
		if h := Handle(cell.Swap(0)); h != 0 {
			p.put(c, page, z, h.offset())
		}
	}
}

// reservedIn is the cells that hold an object of the zspage at page.
func (p *Pool) reservedIn(c *class, page uint32) iter.Seq[*atomic.Uint64] {
	first, end := handleAt(runOffset(page)), handleAt(runOffset(page+uint32(c.pages)))
	return func(yield func(*atomic.Uint64) bool) {
		for i := range p.locals {
			cells := &p.locals[i].objects[c.ordinal].cells
			for j := range cells {
				if h := Handle(cells[j].Load()); h >= first && h < end && !yield(&cells[j]) {
					return
				}
			}
		}
	}
}

// takeRun takes a warm run of n pages; 0 = none. The worker does, and who finds
// no memory elsewhere.
func (l *local) takeRun(n int) uint32 {
	for i := range l.runs[n] {
		if cell := &l.runs[n][i]; cell.Load() != 0 {
			if page := cell.Swap(0); page != 0 {
				return page
			}
		}
	}
	return 0
}

// hasRoom reports whether the worker may keep one more run of n pages. Only he
// makes the answer false.
func (l *local) hasRoom(n int) bool {
	for i := range l.runs[n] {
		if l.runs[n][i].Load() == 0 {
			return true
		}
	}
	return false
}

// putRun is for the worker alone, who has room.
func (l *local) putRun(page uint32, n int) {
	for i := range l.runs[n] {
		if cell := &l.runs[n][i]; cell.Load() == 0 {
			cell.Store(page)
			return
		}
	}
}
