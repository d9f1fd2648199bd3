package offheap

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"syscall"
)

// HeaderSize is the length of an arena's header page in bytes; users' data
// begin behind it.
const HeaderSize = 4096

const (
	magic       = "uzram\x00ar"
	headerBytes = 32
)

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
	DeviceState   // a device's settings and counters
	ConnState     // a FUSE connection's opens, its INIT and what is under way
	ConnDevices   // its devices
)

var purposeNames = [...]string{SlotTable: "slots", SameFilledElements: "elements", PoolData: "pool", PoolZspages: "zspages",
	PoolFrames: "frames", Scratch: "scratch", BackingBlocks: "blocks", BackingShares: "shares", BackingSeals: "seals",
	DeviceState: "state", ConnState: "connection", ConnDevices: "devices"}

// String is a name fit for a descriptor; a header may hold any number.
func (p Purpose) String() string {
	if p == 0 || int(p) >= len(purposeNames) {
		return "purpose " + strconv.FormatUint(uint64(p), 10)
	}
	return purposeNames[p]
}

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
// header of a format version that this release reads.
func ReadHeader(b []byte) (h Header, ok bool) {
	h, ok = decodeHeader(b)
	return h, ok && h.readable()
}

// decodeHeader is ReadHeader for any format version.
func decodeHeader(b []byte) (h Header, ok bool) {
	if len(b) < headerBytes || string(b[:8]) != magic {
		return Header{}, false
	}
	return Header{
		Version: binary.LittleEndian.Uint32(b[8:]),
		Purpose: Purpose(binary.LittleEndian.Uint32(b[12:])),
		Size:    binary.LittleEndian.Uint64(b[16:]),
		Unit:    binary.LittleEndian.Uint64(b[24:]),
	}, true
}

func (h Header) readable() bool { return OldestVersion <= h.Version && h.Version <= FormatVersion }

// check says in a sentence why an arena with this header is not one of that
// purpose in size bytes. The error wraps EINVAL.
func (h Header) check(purpose Purpose, size uint64) error {
	switch {
	case !h.readable():
		return versionError(h.Version)
	case h.Purpose != purpose:
		return fmt.Errorf("it holds %v: %w", h.Purpose, syscall.EINVAL)
	case h.Size != size:
		return fmt.Errorf("its header says %d bytes, it has %d: %w", h.Size, size, syscall.EINVAL)
	}
	return nil
}
