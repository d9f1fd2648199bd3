package store

import "uzram/alloc"

// entry is a commit word: what a slot holds.
//
//	bits 62-63  kind
//	same-filled bits 60-61 form, bits 0-59 the element in that form; one of the
//	            forms says that the page is lost
//	object      bit 61 incompressible by the last algorithm tried, bits 59-60
//	            priority of the algorithm (0 = primary), bits 42-58 size in
//	            bytes, bits 0-41 handle
//	block       on the backing device; as an object, but bit 41 says that it was
//	            huge, bits 0-40 where it lies there, in units of placeUnit bytes
type entry uint64

type kind uint64

const (
	kindEmpty kind = iota
	kindSame
	kindObject
	kindBlock
)

const (
	kindShift                = 62
	incompressibleBit        = 1 << 61
	priorityShift            = 59
	priorityMask             = 3
	sizeShift                = alloc.HandleBits
	sizeMask                 = 1<<17 - 1
	handleMask               = 1<<alloc.HandleBits - 1
	formShift                = 60
	formMask                 = 3
	wasHugeBit               = 1 << 41
	placeMask                = wasHugeBit - 1
	placeUnit                = 8
	payloadMask              = 1<<formShift - 1
	payloadSign              = 1 << (formShift - 1)
	halfMask                 = 1<<32 - 1
	formSigned        uint64 = 0 // 60 bits, sign-extended
	formRepeated      uint64 = 1 // 32 bits, twice
	formElsewhere     uint64 = 2 // an index into elements
	formLost          uint64 = 3 // no element: what the page was is not there any more
)

func (e entry) kind() kind { return kind(e >> kindShift) }

func objectEntry(h alloc.Handle, size int) entry {
	return entry(uint64(kindObject)<<kindShift | uint64(size)<<sizeShift | uint64(h))
}

// packedEntry is an object of a secondary algorithm.
func packedEntry(h alloc.Handle, size, priority int) entry {
	return objectEntry(h, size) | entry(priority)<<priorityShift
}

func (e entry) handle() alloc.Handle { return alloc.Handle(e & handleMask) }

// size of the object in bytes; PageSize means the page as it is.
func (e entry) size() int { return int(e >> sizeShift & sizeMask) }

func (e entry) priority() int { return int(e >> priorityShift & priorityMask) }

// packed reports whether e is an object or a block, so that what is below has a
// meaning.
func (e entry) packed() bool         { return e.kind() >= kindObject }
func (e entry) recompressed() bool   { return e.packed() && e.priority() > 0 }
func (e entry) incompressible() bool { return e.packed() && e&incompressibleBit != 0 }
func (e entry) huge() bool           { return e.kind() == kindObject && e.size() == PageSize }

// wasHuge reports whether the page was stored raw, here or before it was written
// back.
func (e entry) wasHuge() bool { return e.huge() || e.kind() == kindBlock && e&wasHugeBit != 0 }

// blockEntry is what stands for the object old once size bytes of it, or the
// page itself if that is PageSize, lie at off on the backing device.
func blockEntry(old entry, off int64, size int) entry {
	e := old & (incompressibleBit | priorityMask<<priorityShift)
	if old.huge() {
		e |= wasHugeBit
	}
	return e | entry(uint64(kindBlock)<<kindShift|uint64(size)<<sizeShift|uint64(off)/placeUnit)
}

// block is the block of the backing device that holds the page, from is where in
// it.
func (e entry) block() uint64 { return uint64(e&placeMask) * placeUnit / PageSize }
func (e entry) from() int     { return int(e & placeMask * placeUnit % PageSize) }

// moved is e with its object at another place.
func (e entry) moved(to alloc.Handle) entry { return e&^handleMask | entry(to) }

// sameEntry encodes a same-filled page's element within the word, or returns
// false where only an index of elements can.
func sameEntry(element uint64) (entry, bool) {
	if signExtend(element&payloadMask) == element {
		return sameForm(formSigned, element&payloadMask), true
	}
	if element>>32 == element&halfMask {
		return sameForm(formRepeated, element&halfMask), true
	}
	return 0, false
}

func sameForm(form, payload uint64) entry {
	return entry(uint64(kindSame)<<kindShift | form<<formShift | payload)
}

// element decodes what sameEntry encoded; elsewhere is true where the payload
// is an index of elements instead.
func (e entry) element() (payload uint64, elsewhere bool) {
	payload = uint64(e) & payloadMask
	switch uint64(e) >> formShift & formMask {
	case formSigned:
		return signExtend(payload), false
	case formRepeated:
		return payload<<32 | payload, false
	}
	return payload, true
}

// lostEntry stands for a page whose word named what a take-over did not find. It
// reads as an error until it is written or discarded.
const lostEntry = entry(uint64(kindSame)<<kindShift | formLost<<formShift)

// cell is the index in elements of a same-filled page's element, if it is there.
func (e entry) cell() (index uint64, outside bool) {
	if e.kind() != kindSame || e == lostEntry {
		return 0, false
	}
	return e.element()
}

func signExtend(payload uint64) uint64 {
	if payload&payloadSign != 0 {
		return payload | ^uint64(payloadMask)
	}
	return payload
}
