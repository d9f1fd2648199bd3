package alloc

import (
	"math/bits"
	"sync"
	"time"
)

// settling is the work that an adoption leaves for later: giving back the memory
// behind what is free (sweep), and linking the free objects of zspages that
// nobody has allocated from since (linkRest).
type settling struct {
	claims *claims
	once   sync.Once
	hurry  chan struct{} // closed: no more pauses
	stop   chan struct{} // closed: leave the rest
	swept  chan struct{} // closed when the sweep is over
	done   chan struct{} // closed when all is
}

// Work is done in pieces, with a pause behind each, for it shares its CPU with
// I/O that has just waited for the adoption.
const (
	sweepFrames = 64
	linkFrames  = 16
	settlePause = time.Millisecond
)

func (p *Pool) startSettling(c *claims) {
	s := &settling{claims: c}
	for _, signal := range []*chan struct{}{&s.hurry, &s.stop, &s.swept, &s.done} {
		*signal = make(chan struct{})
	}
	p.runs.sweep.begin(p.runs.top, s)
	p.settling.Store(s)
	go func() {
		defer close(s.done)
		p.sweepAll(s)
		close(s.swept)
		p.linkAll(s)
		p.settling.Store(nil)
		s.claims.close()
	}()
}

// Settle waits until nothing is left to do after an adoption.
func (p *Pool) Settle() {
	if s := p.settling.Load(); s != nil {
		s.await(s.done)
	}
}

// await waits for one of the signals, and has no time to lose.
func (s *settling) await(signal chan struct{}) {
	s.once.Do(func() { close(s.hurry) })
	<-signal
}

// end stops the work where it is; the pool is of no use after that.
func (s *settling) end() {
	close(s.stop)
	s.await(s.done)
}

// pause reports whether to go on, after a while.
func (s *settling) pause() bool {
	select {
	case <-s.stop:
		return false
	default:
	}
	select {
	case <-s.hurry:
	case <-time.After(settlePause):
	}
	return true
}

// linkAll links all free objects, so that the claims are not needed any more.
func (p *Pool) linkAll(s *settling) {
	for i := range p.runs.sweep.end {
		v := s.claims.frames[i].classes.Load()
		for left := v; left != 0; {
			shift := bits.TrailingZeros64(left) &^ 7
			left &^= 0xff << shift
			page := i*framePages + uint32(shift/8)
			c := p.byIndex[uint8(v>>shift)-1]
			c.mu.Lock()
			p.linkRest(c, page, &p.zspages[page])
			c.mu.Unlock()
		}
		if i%linkFrames == 0 && !s.pause() {
			break
		}
	}
	for _, c := range p.classes {
		c.mu.Lock()
		c.rests = nil
		c.mu.Unlock()
	}
}

// linkRest puts the objects of z that nobody claimed on its list of free ones,
// if that is still to be done, with c.mu held. It reports whether z has any.
func (p *Pool) linkRest(c *class, page uint32, z *zspage) bool {
	if !c.rests.hasRest(page) {
		return false
	}
	end := int(z.fresh)
	for from := (end - 1) &^ 63; from >= 0; from -= 64 {
		free := ^c.rests.objects(page, claimShapes[c.index].small, from, end) & bitsBelow(end-from)
		for free != 0 {
			i := 63 - bits.LeadingZeros64(free)
			free &^= 1 << i
			off := c.objectAt(page, from+i)
			p.erase(off, c.size)
			p.setObjectHeader(off, linkHeader(z.free))
			z.free = uint16(from+i) + 1
		}
	}
	if p.wipe {
		clear(p.mem[c.objectAt(page, end):c.objectAt(page, c.objs)])
	}
	c.rests.settle(page)
	return z.free != 0
}
