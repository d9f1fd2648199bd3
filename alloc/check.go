package alloc

import (
	"fmt"
	"math/bits"
)

// Check verifies the pool's invariants (see the package comment) against all
// its zspages and names the first that does not hold. No other call may run
// meanwhile.
func (p *Pool) Check() error {
	type sum struct{ zspages, used uint64 }
	sums := make(map[*class]sum)
	var pages uint64
	p.runs.mu.Lock() // the refiller may be at work
	defer p.runs.mu.Unlock()
	warm := map[uint32]bool{p.runs.filling: true}
	for _, stock := range p.runs.warm {
		for _, page := range stock {
			warm[page] = true
		}
	}
	for i := uint32(1); i < p.runs.top; i++ {
		f := p.runs.frames[i]
		for taken := f.taken; taken != 0; taken &= taken - 1 {
			page := i*framePages + uint32(bits.TrailingZeros8(taken))*uint32(f.chain)
			if warm[page] {
				continue
			}
			z := &p.zspages[page]
			c := p.byIndex[z.class]
			if err := p.checkZspage(c, page, z); err != nil {
				return err
			}
			s := sums[c]
			sums[c] = sum{s.zspages + 1, s.used + uint64(z.inuse)}
			pages += uint64(c.pages)
		}
	}
	for _, c := range p.classes {
		if s := sums[c]; s.zspages != c.zspages || s.used != c.used {
			return fmt.Errorf("A3: class %d counts %d zspages with %d objects, there are %d with %d", c.size, c.zspages, c.used, s.zspages, s.used)
		}
		if err := p.checkLists(c); err != nil {
			return err
		}
	}
	if pages != p.Pages() {
		return fmt.Errorf("A3: pool counts %d pages, there are %d", p.Pages(), pages)
	}
	return nil
}

func (p *Pool) checkZspage(c *class, page uint32, z *zspage) error {
	if z.inuse == 0 {
		return fmt.Errorf("A5: zspage %d of class %d is empty", page, c.size)
	}
	if z.group() != int(c.groupOf[z.inuse]) || z.state&isolated != 0 {
		return fmt.Errorf("A1: zspage %d of class %d with %d of %d objects has state %#x", page, c.size, z.inuse, c.objs, z.state)
	}
	if c.huge {
		return nil
	}
	free := 0
	for n := z.free; n != 0; free++ {
		header := p.objectHeader(c.objectAt(page, int(n)-1))
		if isAllocated(header) || free > c.objs {
			return fmt.Errorf("A4: object %d of zspage %d is on the free list with header %#x", n-1, page, header)
		}
		n = headerLink(header)
	}
	if int(z.fresh)-free != int(z.inuse) {
		return fmt.Errorf("A2: zspage %d of class %d: %d objects handed out, %d free, %d in use", page, c.size, z.fresh, free, z.inuse)
	}
	return nil
}

func (p *Pool) checkLists(c *class) error {
	for g := 1; g <= freeGroups; g++ {
		var n uint64
		for page, prev := c.heads[g], uint32(0); page != 0; n++ {
			z := &p.zspages[page]
			if z.group() != g || z.prev != prev || n > c.zspages {
				return fmt.Errorf("A1: list %d of class %d is broken at zspage %d", g, c.size, page)
			}
			page, prev = z.next, page
		}
		if n != c.counts[g] {
			return fmt.Errorf("A1: list %d of class %d has %d zspages, counted are %d", g, c.size, n, c.counts[g])
		}
	}
	return nil
}

// checkAllocated panics where h is not an object in use, with c.mu held.
func (p *Pool) checkAllocated(c *class, h Handle) {
	if !c.huge && !isAllocated(p.objectHeader(h.offset())) {
		panic(fmt.Sprintf("alloc: freeing %#x of class %d, which is free", h, c.size))
	}
}
