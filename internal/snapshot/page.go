package snapshot

import (
	"encoding/binary"
	"fmt"
)

// Kind says what the bytes of a page's record are.
type Kind uint8

// The kinds of records: never renumber.
const (
	Same   Kind = 1 // the 8 bytes that the page repeats
	Object Kind = 2 // compressed, by the algorithm of Priority
	Huge   Kind = 3 // the page, which no compression made smaller
	Plain  Kind = 4 // the page, which was decompressed on its way to the backing device
	Lost   Kind = 5 // none: the page was lost before, and reads as an error
)

// Page is one page in use.
type Page struct {
	Slot           uint64
	Kind           Kind
	Priority       int    // 0 to 3
	Seconds        uint32 // since the last access
	Idle           bool
	Incompressible bool   // the last algorithm did not help
	OnBacking      bool   // it lay on the backing device
	Data           []byte // 8 bytes, 1 to 4095, 4096, or 0, by Kind
}

// PageSize is that of all disks, RecordHeader what stands before a page's data, in
// bytes.
const (
	PageSize     = 4096
	RecordHeader = 16
)

const (
	maxRecord   = RecordHeader + PageSize
	maxPriority = 3

	kindMask           = 0x0f
	idleFlag           = 0x10
	incompressibleFlag = 0x20
	onBackingFlag      = 0x40
	knownFlags         = kindMask | idleFlag | incompressibleFlag | onBackingFlag
)

// lengths are the bytes that a record of each kind may have.
var lengths = map[Kind]struct{ least, most int }{
	Same:   {8, 8},
	Object: {1, PageSize - 1},
	Huge:   {PageSize, PageSize},
	Plain:  {PageSize, PageSize},
	Lost:   {0, 0},
}

func (p *Page) appendTo(b []byte) []byte {
	what := uint8(p.Kind)
	for _, f := range []struct {
		set bool
		bit uint8
	}{{p.Idle, idleFlag}, {p.Incompressible, incompressibleFlag}, {p.OnBacking, onBackingFlag}} {
		if f.set {
			what |= f.bit
		}
	}
	b = binary.LittleEndian.AppendUint64(b, p.Slot)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(p.Data)))
	b = append(b, what, uint8(p.Priority))
	b = binary.LittleEndian.AppendUint32(b, p.Seconds)
	return append(b, p.Data...)
}

// parsePage reads a record at the start of b; its data are part of b.
func parsePage(b []byte) (p Page, rest []byte, err error) {
	if len(b) < RecordHeader {
		return Page{}, nil, fmt.Errorf("%w: a page's record is cut", ErrDamaged)
	}
	n, what := int(binary.LittleEndian.Uint16(b[8:])), b[10]
	p = Page{
		Slot:           binary.LittleEndian.Uint64(b),
		Kind:           Kind(what & kindMask),
		Priority:       int(b[11]),
		Seconds:        binary.LittleEndian.Uint32(b[12:]),
		Idle:           what&idleFlag != 0,
		Incompressible: what&incompressibleFlag != 0,
		OnBacking:      what&onBackingFlag != 0,
	}
	bounds, known := lengths[p.Kind]
	b = b[RecordHeader:]
	switch {
	case !known || what&^knownFlags != 0 || p.Priority > maxPriority:
		return Page{}, nil, fmt.Errorf("%w: the record of page %d is of no kind that there is", ErrDamaged, p.Slot)
	case n < bounds.least || n > bounds.most || n > len(b):
		return Page{}, nil, fmt.Errorf("%w: the record of page %d has a wrong length", ErrDamaged, p.Slot)
	}
	p.Data = b[:n:n]
	return p, b[n:], nil
}
