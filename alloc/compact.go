package alloc

import "runtime"

// Mover is the owner of a pool's objects, asked by Compact to let one move.
type Mover interface {
	// Move copies owner's object from one place to another and makes the new
	// one count, or returns false and leaves all as it was: when owner is busy,
	// or does not (or not yet) call the object at from its own. It must not
	// wait and must not call the pool except for Bytes.
	Move(owner uint64, from, to Handle) bool
}

// movesPerHold bounds how long a class stays locked by compaction.
const movesPerHold = 16

// Compact empties sparse zspages into fuller ones of their class, largest class
// first, and gives their pages back. It returns how many pages that were. An
// object whose owner is busy stays where it is.
func (p *Pool) Compact(m Mover) (pages uint64) {
	for i := len(p.classes) - 1; i >= 0; i-- {
		c := p.classes[i]
		c.mu.Lock()
		// An object in a reserve has no owner who could move it.
		for p.recall(c); c.spare() >= uint64(c.objs); p.recall(c) {
			freed, moved := p.evacuate(c, m)
			pages += freed
			if !moved {
				break
			}
		}
		c.mu.Unlock()
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

// evacuate moves what it can out of the emptiest zspage. Called and returns with
// c.mu held, which it lets go now and then: the zspage is isolated meanwhile, so
// that nobody allocates in it, stocks a reserve from it or frees it.
func (p *Pool) evacuate(c *class, m Mover) (pages uint64, moved bool) {
	src := c.emptiest()
	if src == 0 {
		return 0, false
	}
	z := &p.zspages[src]
	p.unlink(c, src, z)
	z.state |= isolated
	held := 0
	for i := 0; i < int(z.fresh) && z.inuse > 0; i++ {
		off := c.objectAt(src, i)
		header := p.objectHeader(off)
		if !isAllocated(header) {
			continue
		}
		dst := c.fullest()
		if dst == 0 {
			break
		}
		to := p.allocFrom(c, dst, headerOwner(header))
		if from := handleAt(off); m.Move(headerOwner(header), from, to) {
			p.freeIn(c, src, z, from)
			moved = true
		} else {
			p.freeIn(c, dst, &p.zspages[dst], to) // never its last object: dst was partly used
		}
		if held++; held%movesPerHold == 0 {
			c.mu.Unlock()
			runtime.Gosched()
			c.mu.Lock()
		}
	}
	if z.inuse == 0 {
		p.forget(c, src, z)
		c.mu.Unlock()
		p.dropPages(c, src, nil)
		c.mu.Lock()
		return uint64(c.pages), true
	}
	z.state &^= isolated
	p.link(c, src, z)
	return 0, moved
}
