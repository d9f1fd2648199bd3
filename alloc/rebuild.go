package alloc

import (
	"cmp"
	"fmt"
	"math/bits"
	"runtime"
	"slices"
	"sync"
)

// list is a list under construction, of zspages or of frames.
type list struct{ first, last uint32 }

// rebuilt is what one goroutine derives from the claims on some frames.
type rebuilt struct {
	classes []rebuiltClass       // by ordinal
	partial [framePages + 1]list // as in runs
	huge    int64
}

type rebuiltClass struct {
	heads   [groups]list
	counts  [groups]uint64
	zspages uint64
	used    uint64
	rests   bool
}

// framesEach is how many frames are worth a goroutine of their own.
const framesEach = 256

// crew is how many goroutines share the work on the frames.
func (a *Adoption) crew() int { return max(1, min(runtime.GOMAXPROCS(0), int(a.top)/framesEach)) }

// share calls do with the parts of all frames, each on a goroutine of its own,
// and returns one of its errors.
func (a *Adoption) share(do func(part int, from, to uint32) error) error {
	crew := a.crew()
	failed := make([]error, crew)
	from := func(i int) uint32 { return uint32(int(a.top) * i / crew) }
	var wg sync.WaitGroup
	for i := range crew - 1 {
		wg.Go(func() { failed[i] = do(i, from(i), from(i+1)) })
	}
	failed[crew-1] = do(crew-1, from(crew-1), a.top)
	wg.Wait()
	return cmp.Or(failed...)
}

// Finish makes the pool. What nobody claimed is free, and the memory behind it
// goes back to the system by and by, beside the pool's use. An error, of ENOMEM,
// abandons the adoption.
func (a *Adoption) Finish() (*Pool, error) {
	p := a.pool
	parts := make([]rebuilt, a.crew())
	if err := a.share(func(i int, from, to uint32) error {
		parts[i].classes = make([]rebuiltClass, len(p.classes))
		if err := p.frameArena.PopulateData(uint64(from)*frameBytes, uint64(to)*frameBytes); err != nil {
			return err
		}
		a.rebuild(from, to, &parts[i])
		return nil
	}); err != nil {
		a.Abandon()
		return nil, fmt.Errorf("pool: %w", err)
	}
	for i := range slices.Backward(parts) { // lower places come first in each list
		a.join(&parts[i])
	}
	p.runs.top, p.runs.backed = max(a.top, 1), a.top
	p.startSettling(a.claims)
	p.start()
	return p, nil
}

// rebuild describes the zspages of frames [from, to).
func (a *Adoption) rebuild(from, to uint32, into *rebuilt) {
	for i := from; i < to; i++ {
		v := a.claims.frames[i].classes.Load()
		if v == 0 {
			continue
		}
		n := frameShape(v).pages
		f := frame{chain: uint8(n)}
		settled := v
		for left := v; left != 0; {
			shift := bits.TrailingZeros64(left) &^ 7
			left &^= 0xff << shift
			f.taken |= 1 << (shift / 8 / n)
			if !a.rebuildZspage(i*framePages+uint32(shift/8), int(uint8(v>>shift))-1, into) {
				settled &^= 0xff << shift
			}
		}
		if settled != v {
			a.claims.frames[i].classes.Store(settled)
		}
		frames := a.pool.runs.frames
		if bits.OnesCount8(f.taken) < framePages/n {
			l := &into.partial[n]
			if f.prev = l.last; l.last != 0 {
				frames[l.last].next = i
			} else {
				l.first = i
			}
			l.last = i
		}
		frames[i] = f
	}
}

// rebuildZspage describes the zspage at page, and reports whether it has free
// objects that must be linked before they are handed out.
func (a *Adoption) rebuildZspage(page uint32, index int, into *rebuilt) (rest bool) {
	z := &a.pool.zspages[page]
	if index == hugeIndex {
		z.class, z.inuse, z.state = hugeIndex, 1, groupFull
		into.huge++
		return false
	}
	c := a.pool.byIndex[index]
	n, end := a.claims.count(page, &claimShapes[index])
	g := c.groupOf[n]
	*z = zspage{class: uint8(index), inuse: uint16(n), fresh: uint16(end), state: g}
	b := &into.classes[c.ordinal]
	b.zspages++
	b.used += uint64(n)
	b.counts[g]++
	if g != groupFull {
		l := &b.heads[g]
		if z.prev = l.last; l.last != 0 {
			a.pool.zspages[l.last].next = page
		} else {
			l.first = page
		}
		l.last = page
	}
	rest = n < end || a.pool.wipe && n < c.objs
	b.rests = b.rests || rest
	return rest
}

// join puts what was derived from some frames before what is there.
func (a *Adoption) join(part *rebuilt) {
	p := a.pool
	pages := part.huge
	for i, c := range p.classes {
		b := &part.classes[i]
		for g, l := range b.heads {
			if l.first != 0 {
				if p.zspages[l.last].next = c.heads[g]; c.heads[g] != 0 {
					p.zspages[c.heads[g]].prev = l.last
				}
				c.heads[g] = l.first
			}
			c.counts[g] += b.counts[g]
		}
		c.zspages += b.zspages
		c.used += b.used
		pages += int64(b.zspages) * int64(c.pages)
		if b.rests {
			c.rests = a.claims
		}
	}
	r := &p.runs
	for n, l := range part.partial {
		if l.first != 0 {
			if r.frames[l.last].next = r.partial[n]; r.partial[n] != 0 {
				r.frames[r.partial[n]].prev = l.last
			}
			r.partial[n] = l.first
		}
	}
	p.pages.Add(pages)
	p.huge.Add(part.huge)
}
