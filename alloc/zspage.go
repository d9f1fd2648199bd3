package alloc

import "encoding/binary"

// zspage describes a run of pages that holds objects of one class. It is the
// entry of its first page in Pool.zspages. Guarded by the class's mu; class is
// immutable while any of its objects lives.
type zspage struct {
	next, prev uint32 // its fullness group's list, by first page; a huge zspage keeps its owner here
	free       uint16 // first free object, plus 1; 0 = none
	fresh      uint16 // objects from here on were never handed out
	inuse      uint16 // those in reserves included
	class      uint8
	state      uint8 // bits 0-3 fullness group, 4 isolated, 5-7 most objects that reserves can hold
}

const (
	groupMask = 0x0f
	isolated  = 0x10 // taken off its list by compaction, which alone may free it
	lentShift = 5
	lentMany  = 7 // more than the bits can say
)

func (z *zspage) group() int     { return int(z.state & groupMask) }
func (z *zspage) setGroup(g int) { z.state = z.state&^groupMask | uint8(g) }
func (z *zspage) lent() int      { return int(z.state >> lentShift) }
func (z *zspage) setLent(n int) {
	z.state = z.state&(1<<lentShift-1) | uint8(min(n, lentMany))<<lentShift
}

// objectHeader is what stands before an object: bit 0 set and the owner above it
// while allocated; else the next free object plus 1, shifted.
func (p *Pool) objectHeader(off uint64) uint64 { return p.headers[off/headerSize].Load() }

// setObjectHeader needs class.mu.
func (p *Pool) setObjectHeader(off, v uint64) {
	binary.LittleEndian.PutUint64(p.mem[off:off+headerSize], v)
}

// claim makes owner the owner of an object that came out of a reserve, without
// class.mu.
func (p *Pool) claim(h Handle, owner uint64) {
	p.headers[h.offset()/headerSize].Store(ownerHeader(owner))
}

func ownerHeader(owner uint64) uint64   { return owner<<1 | 1 }
func linkHeader(next uint16) uint64     { return uint64(next) << 1 }
func isAllocated(header uint64) bool    { return header&1 != 0 }
func headerOwner(header uint64) uint64  { return header >> 1 }
func headerLink(header uint64) uint16   { return uint16(header >> 1) }
func runOffset(page uint32) uint64      { return uint64(page) * PageSize }
func (z *zspage) setHugeOwner(o uint64) { z.next, z.prev = uint32(o), uint32(o>>32) }
func (z *zspage) hugeOwner() uint64     { return uint64(z.prev)<<32 | uint64(z.next) }
func (c *class) objectAt(page uint32, i int) uint64 {
	return runOffset(page) + uint64(i)*uint64(c.size)
}

// take hands out a free object of z, which has one, and returns its offset.
func (p *Pool) take(c *class, page uint32, z *zspage) uint64 {
	z.inuse++
	c.used++
	if z.free == 0 && (c.rests == nil || !p.linkRest(c, page, z)) {
		z.fresh++
		return c.objectAt(page, int(z.fresh)-1)
	}
	off := c.objectAt(page, int(z.free)-1)
	z.free = headerLink(p.objectHeader(off))
	return off
}

// put takes the object at off back into z.
func (p *Pool) put(c *class, page uint32, z *zspage, off uint64) {
	z.inuse--
	c.used--
	p.setObjectHeader(off, linkHeader(z.free))
	z.free = uint16((off-runOffset(page))/uint64(c.size)) + 1
}
