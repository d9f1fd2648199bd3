package alloc

import (
	"runtime"

	"uzram/internal/failpoint"
)

// Mover is the owner of a pool's objects, asked by Compact to let one move.
type Mover interface {
	// Move copies owner's object from one place to another and makes the new
	// one count, or returns false and leaves all as it was: when owner is busy,
	// or does not (or not yet) call the object at from its own. It must not
	// wait and must not call the pool except for Bytes.
	Move(owner uint64, from, to Handle) bool
}

// movesPerHold bounds how long a class stays locked by compaction, busyZspages
// how many zspages that cannot be emptied it puts up with in a class.
const (
	movesPerHold = 16
	busyZspages  = 32
)

// Compact empties sparse zspages into fuller ones of their class, largest class
// first, and gives their pages back. It returns how many pages that were. An
// object whose owner is busy stays where it is.
func (p *Pool) Compact(m Mover) (pages uint64) {
	for i := len(p.classes) - 1; i >= 0; i-- {
		pages += p.compactClass(p.classes[i], m)
	}
	return pages
}

func (p *Pool) compactClass(c *class, m Mover) (pages uint64) {
	var busy [busyZspages]uint32 // isolated zspages with an object that could not be moved
	n := 0
	c.mu.Lock()
	defer c.mu.Unlock()
	// An object in a reserve has no owner who could move it.
	for p.recall(c); c.spare() >= uint64(c.objs) && n < busyZspages; p.recall(c) {
		page := c.emptiest()
		if page == 0 {
			break
		}
		p.isolate(c, page)
		failpoint.Hit(failpoint.CompactIsolated)
		p.evacuate(c, page, m)
		if p.zspages[page].inuse != 0 {
			busy[n] = page
			n++
			continue
		}
		pages += p.rejoin(c, page)
		failpoint.Hit(failpoint.CompactRejoined)
	}
	for _, page := range busy[:n] {
		pages += p.rejoin(c, page)
	}
	return pages
}

// spare is how many objects the class's zspages could still take.
func (c *class) spare() uint64 { return c.zspages*uint64(c.objs) - c.used }

// wasteful reports whether more than a quarter of the class's room is free, and
// compaction would gain a zspage.
func (c *class) wasteful() bool {
	room := c.zspages * uint64(c.objs)
	return 4*(room-c.used) > room && c.spare() >= uint64(c.objs)
}

// Wasteful receives, at most once for each receive, after some class got so much
// free room that compaction may pay.
func (p *Pool) Wasteful() <-chan struct{} { return p.wasteful }

// Freeable is how many pages compaction could give back at most.
func (p *Pool) Freeable() (pages uint64) {
	for _, c := range p.classes {
		c.mu.Lock()
		pages += c.freeable()
		c.mu.Unlock()
	}
	return pages
}

func (c *class) freeable() uint64 { return c.spare() / uint64(c.objs) * uint64(c.pages) }

// isolate takes a zspage off its list, with c.mu held: nobody allocates in it,
// stocks a reserve from it or gives it back until it rejoins.
func (p *Pool) isolate(c *class, page uint32) {
	z := &p.zspages[page]
	if c.rests != nil {
		p.linkRest(c, page, z) // who goes by headers must find none of an object that nobody owns
	}
	p.unlink(c, page, z)
	z.state |= isolated
}

// rejoin ends isolate, and gives the zspage back if it is empty by now. It lets
// c.mu go meanwhile.
func (p *Pool) rejoin(c *class, page uint32) (pages uint64) {
	z := &p.zspages[page]
	if z.inuse != 0 {
		z.state &^= isolated
		p.link(c, page, z)
		return 0
	}
	p.forget(c, page, z)
	c.mu.Unlock()
	p.dropPages(c, page, nil)
	c.mu.Lock()
	return uint64(c.pages)
}

// evacuate moves what it can out of an isolated zspage. Called and returns with
// c.mu held, which it lets go now and then.
func (p *Pool) evacuate(c *class, src uint32, m Mover) {
	z := &p.zspages[src]
	held := 0
	for i := 0; i < int(z.fresh) && z.inuse > 0; i++ {
		off := c.objectAt(src, i)
		header := p.objectHeader(off)
		if !isAllocated(header) {
			continue
		}
		dst := c.fullest()
		if dst == 0 {
			return
		}
		to := p.allocFrom(c, dst, headerOwner(header))
		failpoint.Hit(failpoint.CompactAllocated)
		if from := handleAt(off); m.Move(headerOwner(header), from, to) {
			p.freeIn(c, src, z, from)
			failpoint.Hit(failpoint.CompactFreed)
		} else {
			p.freeIn(c, dst, &p.zspages[dst], to) // never its last object: dst was partly used
		}
		if held++; held%movesPerHold == 0 {
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
		}
	}
}
