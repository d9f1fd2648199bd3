package offheap

import "encoding/binary"

// HeaderSize is the length of an arena's header page in bytes; users' data
// begin behind it.
const HeaderSize = 4096

// FormatVersion is raised whenever the meaning of any arena's bytes changes.
const FormatVersion = 1

const magic = "uzram\x00ar"

// Purpose says what an arena holds.
type Purpose uint32

// The purposes of arenas, stored in their headers: never renumber.
const (
	SlotTable Purpose = iota + 1
	SameFilledElements
	PoolData
	PoolZspages
	PoolFrames
	Scratch
	BackingBlocks // which blocks of a backing device are taken
	BackingShares // how many objects are in each
	BackingSeals  // what each is checked with
)

var purposeNames = [...]string{SlotTable: "slots", SameFilledElements: "elements", PoolData: "pool", PoolZspages: "zspages", PoolFrames: "frames", Scratch: "scratch",
	BackingBlocks: "blocks", BackingShares: "shares", BackingSeals: "seals"}

func (p Purpose) String() string { return purposeNames[p] }

// Header is the geometry stored at the start of an arena. All integers are
// little endian: magic [8], version u32, purpose u32, size u64, unit u64.
type Header struct {
	Version uint32
	Purpose Purpose
	Size    uint64 // bytes, header page included
	Unit    uint64 // bytes of one entry
}

func (h Header) put(b []byte) {
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[8:], h.Version)
	binary.LittleEndian.PutUint32(b[12:], uint32(h.Purpose))
	binary.LittleEndian.PutUint64(b[16:], h.Size)
	binary.LittleEndian.PutUint64(b[24:], h.Unit)
}

// ReadHeader decodes an arena's first bytes; ok is false where they are not a
// header of this format version.
func ReadHeader(b []byte) (h Header, ok bool) {
	if len(b) < 32 || string(b[:8]) != magic {
		return Header{}, false
	}
	h = Header{
		Version: binary.LittleEndian.Uint32(b[8:]),
		Purpose: Purpose(binary.LittleEndian.Uint32(b[12:])),
		Size:    binary.LittleEndian.Uint64(b[16:]),
		Unit:    binary.LittleEndian.Uint64(b[24:]),
	}
	return h, h.Version == FormatVersion
}
