package alloc

import (
	"math/bits"
	"sync/atomic"

	"uzram/internal/offheap"
)

// claims says, of a data arena that an earlier process filled, which of its
// objects count.
type claims struct {
	arena  *offheap.Arena
	frames []frameClaims

	// Runs of small objects have their bits here, pageObjects for each page. They
	// are few, so memory comes as it is needed, a page for backFrames frames.
	smallArena *offheap.Arena
	small      []atomic.Uint64
	backed     []atomic.Uint64 // a bit for each page of small
}

// frameClaims is half a cache line, because that is what a claim costs: a miss.
type frameClaims struct {
	classes atomic.Uint64    // byte i is the class, plus 1, of the run that begins at page i; 0 = none
	objects [2]atomic.Uint64 // fewObjects bits for each page: bit i of a run is its object i
	_       uint64
}

const (
	claimBytes  = 32
	fewObjects  = 128 / framePages   // objects of a page, more of which are small
	pageObjects = PageSize / minSize // the most objects of a page
	smallBytes  = framePages * pageObjects / 8
	backFrames  = PageSize / smallBytes
)

// newClaims is for frames [0, top).
func newClaims(top uint32) (c *claims, err error) {
	frames := uint64(max(top, 1)) // no empty arena
	c = &claims{backed: make([]atomic.Uint64, frames/backFrames/64+1)}
	if c.arena, err = offheap.New(offheap.Scratch, frames*claimBytes, claimBytes); err != nil {
		return nil, err
	}
	if c.smallArena, err = offheap.New(offheap.Scratch, frames*smallBytes, smallBytes); err != nil {
		c.arena.Close()
		return nil, err
	}
	c.frames = offheap.View[frameClaims](c.arena, frames)
	c.small = offheap.View[atomic.Uint64](c.smallArena, frames*smallBytes/8)
	return c, nil
}

func (c *claims) close() {
	c.arena.Close()
	c.smallArena.Close()
}

// enter notes the class of the run that begins at page start of frame i, or
// returns false if that is another one, or the frame has runs of another length.
// The error wraps ENOMEM.
func (c *claims) enter(i, start uint32, s *claimShape) (bool, error) {
	if s.small {
		if err := c.backSmall(i); err != nil {
			return false, err
		}
	}
	for {
		v := c.frames[i].classes.Load()
		if class := uint8(v >> (start * 8)); class != 0 {
			return class == s.class+1, nil
		}
		if v != 0 && frameShape(v).pages != int(s.pages) {
			return false, nil
		}
		if c.frames[i].classes.CompareAndSwap(v, v|uint64(s.class+1)<<(start*8)) {
			return true, nil
		}
	}
}

func (c *claims) backSmall(i uint32) error {
	group := i / backFrames
	word, bit := &c.backed[group/64], uint64(1)<<(group%64)
	if word.Load()&bit != 0 {
		return nil
	}
	if err := c.smallArena.PopulateData(uint64(group)*PageSize, uint64(group+1)*PageSize); err != nil {
		return err
	}
	word.Or(bit)
	return nil
}

// frameShape is the shape of the zspages of a frame with these classes.
func frameShape(classes uint64) *shape {
	return &shapes[uint8(classes>>(bits.TrailingZeros64(classes)&^7))-1]
}

// add claims object n of the run that begins at page, false if it is claimed.
func (c *claims) add(page, n uint32, small bool) bool {
	var word *atomic.Uint64
	if small {
		word = &c.small[page*(pageObjects/64)+n/64]
	} else {
		n += page % framePages * fewObjects
		word = &c.frames[page/framePages].objects[n/64]
	}
	bit := uint64(1) << (n % 64)
	return word.Or(bit)&bit == 0
}

// objects is which of the objects [from, end) of the run at page are claimed,
// as bits, 64 at most. from is a multiple of 64.
func (c *claims) objects(page uint32, small bool, from, end int) (v uint64) {
	if small {
		v = c.small[int(page)*(pageObjects/64)+from/64].Load()
	} else {
		at := int(page%framePages)*fewObjects + from
		f := &c.frames[page/framePages]
		v = f.objects[at/64].Load() >> (at % 64)
		if at < 64 {
			v |= f.objects[1].Load() << (64 - at)
		}
	}
	return v & bitsBelow(end-from)
}

// bitsBelow is n bits, or 64 if n is more.
func bitsBelow(n int) uint64 { return 1<<min(n, 64) - 1 }

// count is how many objects of the run at page are claimed, and the one behind
// the last of them.
func (c *claims) count(page uint32, s *claimShape) (n, end int) {
	for from := 0; from < int(s.objs); from += 64 {
		if v := c.objects(page, s.small, from, int(s.objs)); v != 0 {
			n += bits.OnesCount64(v)
			end = from + bits.Len64(v)
		}
	}
	return n, end
}

func classByte(page uint32) uint32 { return page % framePages * 8 }

// hasRest reports whether the zspage at page has free objects that are on no
// list yet. This, and settle, with the lock of its class held.
func (c *claims) hasRest(page uint32) bool {
	i := int(page / framePages)
	return i < len(c.frames) && uint8(c.frames[i].classes.Load()>>classByte(page)) != 0
}

// settle ends hasRest.
func (c *claims) settle(page uint32) {
	if c.hasRest(page) {
		c.frames[page/framePages].classes.And(^(uint64(0xff) << classByte(page)))
	}
}
