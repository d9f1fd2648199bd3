package alloc

import (
	"fmt"
	"math/bits"
)

// Check verifies the pool's invariants (see the package comment) against all
// its zspages and names the first that does not hold. No other call may run
// meanwhile.
func (p *Pool) Check() (err error) {
	report := func(finding error) {
		if err == nil {
			err = finding
		}
	}
	for from := uint32(0); ; {
		var more bool
		if from, _, more = p.CheckFrames(from, 1<<16, nil, report); !more {
			break
		}
	}
	p.CheckTotals(report)
	return err
}

// CheckFrames verifies the zspages of n frames of address space from frame from
// on, the first being 0, and reports what is wrong. Where named is given, each
// object's owner must be one of which it is true. It returns the frame to go on
// with, how many zspages it saw, and whether there are more frames. No Alloc,
// Free or Compact may run meanwhile, nor be half done.
func (p *Pool) CheckFrames(from, n uint32, named func(owner uint64, h Handle) bool, report func(error)) (next uint32, zspages uint64, more bool) {
	p.Settle()
	p.recallAll()
	p.eachZspage(max(from, 1), from+n, func(page uint32, z *zspage) {
		p.checkZspage(page, z, named, report)
		zspages++
	})
	return from + n, zspages, from+n < p.runs.end()
}

// CheckTotals compares what the classes and the pool count with the zspages
// that there are. It reads their descriptors only, not their objects. The same
// rule as for CheckFrames.
func (p *Pool) CheckTotals(report func(error)) {
	type sum struct{ zspages, used uint64 }
	p.Settle()
	p.recallAll()
	sums := make([]sum, numSizes)
	p.eachZspage(1, p.runs.end(), func(_ uint32, z *zspage) {
		if int(z.class) < numSizes {
			sums[z.class].zspages++
			sums[z.class].used += uint64(z.inuse)
		}
	})
	pages := sums[hugeIndex].zspages
	if n := uint64(p.huge.Load()); n != pages {
		report(fmt.Errorf("A3: pool counts %d huge objects, there are %d", n, pages))
	}
	for _, c := range p.classes {
		c.mu.Lock()
		s := sums[c.index]
		pages += s.zspages * uint64(c.pages)
		if s.zspages != c.zspages || s.used != c.used {
			report(fmt.Errorf("A3: class %d counts %d zspages with %d objects, there are %d with %d", c.size, c.zspages, c.used, s.zspages, s.used))
		}
		p.checkLists(c, report)
		c.mu.Unlock()
	}
	if pages != p.Pages() {
		report(fmt.Errorf("A3: pool counts %d pages, there are %d", p.Pages(), pages))
	}
}

// Owner is who owns the object named by h, and its class as in ClassStats. ok is
// false where h names no object in use. The same rule as for CheckFrames.
func (p *Pool) Owner(h Handle) (owner uint64, class int, ok bool) {
	p.Settle()
	page, ok := p.runs.inUse(h.page())
	if !ok {
		return 0, 0, false
	}
	z := &p.zspages[page]
	if z.class == hugeIndex {
		return z.hugeOwner(), hugeIndex, h.offset() == runOffset(page) && z.inuse == 1
	}
	if z.class > hugeIndex {
		return 0, 0, false
	}
	c := p.byIndex[z.class]
	at := h.offset() - runOffset(page)
	if at%uint64(c.size) != 0 || at/uint64(c.size) >= uint64(z.fresh) {
		return 0, 0, false
	}
	header := p.objectHeader(h.offset())
	return headerOwner(header), c.index, isAllocated(header)
}

func (p *Pool) recallAll() {
	for _, c := range p.classes {
		c.mu.Lock()
		p.recall(c)
		c.mu.Unlock()
	}
}

// eachZspage calls yield for each zspage of frames [from, end), ascending.
func (p *Pool) eachZspage(from, end uint32, yield func(page uint32, z *zspage)) {
	r := &p.runs
	r.mu.Lock() // the refiller may be at work
	defer r.mu.Unlock()
	warm := map[uint32]uint8{} // by frame, like frame.taken
	note := func(page uint32, n int) { warm[page/framePages] |= 1 << (int(page%framePages) / n) }
	r.warmRuns(note)
	if r.filling != 0 {
		note(r.filling, int(r.frames[r.filling/framePages].chain))
	}
	for i := from; i < min(end, r.top); i++ {
		f := r.frames[i]
		for used := f.taken &^ warm[i]; used != 0; used &= used - 1 {
			page := i*framePages + uint32(bits.TrailingZeros8(used))*uint32(f.chain)
			yield(page, &p.zspages[page])
		}
	}
}

func (p *Pool) checkZspage(page uint32, z *zspage, named func(uint64, Handle) bool, report func(error)) {
	if z.inuse == 0 {
		report(fmt.Errorf("A5: zspage %d of class %d is empty", page, z.class))
		return
	}
	if z.class >= hugeIndex {
		if z.class > hugeIndex || z.inuse != 1 || z.group() != groupFull {
			report(fmt.Errorf("A1: huge zspage %d has %d objects, class %d, state %#x", page, z.inuse, z.class, z.state))
		} else if h := handleAt(runOffset(page)); named != nil && !named(z.hugeOwner(), h) {
			report(fmt.Errorf("A6: huge object %#x is not its owner's, slot %d", h, z.hugeOwner()))
		}
		return
	}
	c := p.byIndex[z.class]
	if c.index != int(z.class) || int(z.inuse) > c.objs || int(z.fresh) > c.objs || z.group() != int(c.groupOf[z.inuse]) || z.state&isolated != 0 {
		report(fmt.Errorf("A1: zspage %d of class %d with %d of %d objects has state %#x", page, c.size, z.inuse, c.objs, z.state))
		return
	}
	free := 0
	for n := z.free; n != 0; free++ {
		header := p.objectHeader(c.objectAt(page, int(n)-1))
		if isAllocated(header) || free > c.objs {
			report(fmt.Errorf("A4: object %d of zspage %d is on the free list with header %#x", n-1, page, header))
			return
		}
		n = headerLink(header)
	}
	used := 0
	for i := range int(z.fresh) {
		off := c.objectAt(page, i)
		header := p.objectHeader(off)
		if !isAllocated(header) {
			continue
		}
		used++
		if h := handleAt(off); named != nil && !named(headerOwner(header), h) {
			report(fmt.Errorf("A6: object %#x of %d bytes is not its owner's, slot %d", h, c.size, headerOwner(header)))
		}
	}
	if used != int(z.inuse) || used+free != int(z.fresh) {
		report(fmt.Errorf("A2: zspage %d of class %d counts %d objects in use; %d were handed out, %d are in use, %d free", page, c.size, z.inuse, z.fresh, used, free))
	}
}

// checkLists verifies a class's lists, with its lock held.
func (p *Pool) checkLists(c *class, report func(error)) {
	for g := 1; g <= freeGroups; g++ {
		var n uint64
		for page, prev := c.heads[g], uint32(0); page != 0; n++ {
			z := &p.zspages[page]
			if z.group() != g || z.prev != prev || n > c.zspages {
				report(fmt.Errorf("A1: list %d of class %d is broken at zspage %d", g, c.size, page))
				return
			}
			page, prev = z.next, page
		}
		if n != c.counts[g] {
			report(fmt.Errorf("A1: list %d of class %d has %d zspages, counted are %d", g, c.size, n, c.counts[g]))
		}
	}
}

// checkAllocated panics where h is not an object in use, with c.mu held.
func (p *Pool) checkAllocated(c *class, h Handle) {
	if !isAllocated(p.objectHeader(h.offset())) {
		panic(fmt.Sprintf("alloc: freeing %#x of class %d, which is free", h, c.size))
	}
}
