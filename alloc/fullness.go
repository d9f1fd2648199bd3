package alloc

import (
	"unsafe"

	"uzram/internal/lockdep"
)

// class is one size class but the huge one, whose objects are zspages. What is
// not immutable is guarded by mu.
type class struct {
	mu lockdep.Mutex[lockdep.ClassRank]
	shape
	ordinal int            // among the distinct classes; immutable
	groupOf []uint8        // objects in use -> fullness group; immutable
	heads   [groups]uint32 // first zspage of each partly used group, by page; newest first
	counts  [groups]uint64 // zspages of each group, full and isolated ones included
	zspages uint64
	used    uint64  // objects, those in reserves included
	rests   *claims // which zspages have free objects on no list; nil = none since an adoption
	_       [16]byte
}

// Workers lock different classes at a time: each has its cache lines to itself.
var _ [256]byte = [unsafe.Sizeof(class{})]byte{}

func newClass(s shape, ordinal int) *class {
	c := &class{shape: s, ordinal: ordinal, groupOf: make([]uint8, s.objs+1)}
	for n := 1; n < s.objs; n++ {
		c.groupOf[n] = uint8(100*n/s.objs/percentStep + 1)
	}
	c.groupOf[s.objs] = groupFull
	return c
}

// fullest is the first zspage of the fullest group that has room; 0 = none.
func (c *class) fullest() uint32 {
	for g := freeGroups; g > 0; g-- {
		if c.heads[g] != 0 {
			return c.heads[g]
		}
	}
	return 0
}

// emptiest is the first zspage of the emptiest group; 0 = none has room.
func (c *class) emptiest() uint32 {
	for g := 1; g <= freeGroups; g++ {
		if c.heads[g] != 0 {
			return c.heads[g]
		}
	}
	return 0
}

// regroup puts z where its use belongs after a change of inuse.
func (p *Pool) regroup(c *class, page uint32, z *zspage) {
	from, to := z.group(), int(c.groupOf[z.inuse])
	if from == to {
		return
	}
	c.counts[from]--
	c.counts[to]++
	if z.state&isolated != 0 {
		z.setGroup(to)
		return
	}
	p.unlink(c, page, z)
	z.setGroup(to)
	p.link(c, page, z)
}

// link puts z at the head of its group's list; full zspages are on none.
func (p *Pool) link(c *class, page uint32, z *zspage) {
	g := z.group()
	if g == 0 || g == groupFull {
		return
	}
	z.prev, z.next = 0, c.heads[g]
	if z.next != 0 {
		p.zspages[z.next].prev = page
	}
	c.heads[g] = page
}

func (p *Pool) unlink(c *class, page uint32, z *zspage) {
	g := z.group()
	if g == 0 || g == groupFull {
		return
	}
	if z.prev != 0 {
		p.zspages[z.prev].next = z.next
	} else {
		c.heads[g] = z.next
	}
	if z.next != 0 {
		p.zspages[z.next].prev = z.prev
	}
	z.next, z.prev = 0, 0
}
