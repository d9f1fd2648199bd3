package alloc

// Handle names an object: its offset in the arena in units of 16 bytes. 0 is no
// object. It stays valid until the object is freed, or moved under its owner's
// lock.
type Handle uint64

// HandleBits is the width of the largest handle.
const HandleBits = 42

func (h Handle) offset() uint64 { return uint64(h) << 4 }

func (h Handle) page() uint32 { return uint32(uint64(h) >> 8) }

func handleAt(offset uint64) Handle { return Handle(offset >> 4) }

// Bytes is the object of size bytes named by h, in place. It may be read or
// written under its owner's lock, or before h is published.
func (p *Pool) Bytes(h Handle, size int) []byte {
	off := h.offset()
	if size < HugeThreshold {
		off += headerSize
	}
	return p.mem[off : off+uint64(size) : off+uint64(size)]
}
