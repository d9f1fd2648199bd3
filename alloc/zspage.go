package alloc

import "encoding/binary"

// zspage describes a run of pages that holds objects of one class. It is the
// entry of its first page in Pool.zspages. Guarded by the class's mu; class is
// immutable while any of its objects lives.
type zspage struct {
	next, prev uint32 // its fullness group's list, by first page; a huge zspage keeps its owner here
	free       uint16 // first free object, plus 1; 0 = none
	fresh      uint16 // objects from here on were never handed out
	inuse      uint16
	class      uint8
	state      uint8 // fullness group, and isolated
}

const (
	groupMask = 0x0f
	isolated  = 0x10 // taken off its list by compaction, which alone may free it
)

func (z *zspage) group() int { return int(z.state & groupMask) }

// objectHeader is what stands before an object, with class.mu held: bit 0 set
// and the owner above it while allocated; else the next free object plus 1,
// shifted.
func (p *Pool) objectHeader(off uint64) uint64 {
	return binary.LittleEndian.Uint64(p.mem[off : off+headerSize])
}

func (p *Pool) setObjectHeader(off, v uint64) {
	binary.LittleEndian.PutUint64(p.mem[off:off+headerSize], v)
}

func ownerHeader(owner uint64) uint64   { return owner<<1 | 1 }
func linkHeader(next uint16) uint64     { return uint64(next) << 1 }
func isAllocated(header uint64) bool    { return header&1 != 0 }
func headerOwner(header uint64) uint64  { return header >> 1 }
func headerLink(header uint64) uint16   { return uint16(header >> 1) }
func runOffset(page uint32) uint64      { return uint64(page) * PageSize }
func (z *zspage) setHugeOwner(o uint64) { z.next, z.prev = uint32(o), uint32(o>>32) }
func (c *class) objectAt(page uint32, i int) uint64 {
	return runOffset(page) + uint64(i)*uint64(c.size)
}

// take hands out a free object of z, which has one, and returns its offset.
func (p *Pool) take(c *class, page uint32, z *zspage, owner uint64) uint64 {
	z.inuse++
	c.used++
	if c.huge {
		z.setHugeOwner(owner)
		return runOffset(page)
	}
	var off uint64
	if z.free != 0 {
		off = c.objectAt(page, int(z.free)-1)
		z.free = headerLink(p.objectHeader(off))
	} else {
		off = c.objectAt(page, int(z.fresh))
		z.fresh++
	}
	p.setObjectHeader(off, ownerHeader(owner))
	return off
}

// put takes the object at off back into z.
func (p *Pool) put(c *class, page uint32, z *zspage, off uint64) {
	z.inuse--
	c.used--
	if c.huge {
		return
	}
	p.setObjectHeader(off, linkHeader(z.free))
	z.free = uint16((off-runOffset(page))/uint64(c.size)) + 1
}
