package fusefs

import (
	"sync"

	"uzram/internal/zramabi"
	"uzram/store"
)

// listing is a file with a line for each page in use.
type listing struct {
	length int64 // of a line
	append func(dst []byte, s store.SlotState) []byte
}

func openBlockState(d *disk) (opened, error) {
	return &pageLister{disk: d, listing: listing{zramabi.BlockStateLine, func(dst []byte, s store.SlotState) []byte { return blockState(s).Append(dst) }}}, nil
}

func openPageState(d *disk) (opened, error) {
	return &pageLister{disk: d, listing: listing{zramabi.PageStateLine, func(dst []byte, s store.SlotState) []byte {
		return zramabi.PageState{BlockState: blockState(s), Size: uint32(s.Size), Priority: uint32(s.Priority)}.Append(dst)
	}}}, nil
}

func blockState(s store.SlotState) zramabi.BlockState {
	return zramabi.BlockState{
		Index:          s.Index,
		Seconds:        uint64(s.Seconds),
		Same:           s.Same,
		WrittenBack:    s.WrittenBack,
		Huge:           s.Huge,
		Idle:           s.Idle,
		Recompressed:   s.Recompressed,
		Incompressible: s.Incompressible,
	}
}

// pageLister is one open of a listing. It walks the table from where its
// reader is, so that millions of lines are never in memory at once.
type pageLister struct {
	readOnly
	disk    *disk
	listing listing

	mu   sync.Mutex
	next int64  // offset of the line to come, guarded by mu
	slot uint64 // where to look for it, guarded by mu
}

// read gives whole lines and, as the kernel does, always leaves room in dest: a
// reader that asks for one line or less is told that there is none.
func (l *pageLister) read(dest []byte, off int64) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	skip := l.seek(off)
	out := dest[:0]
	slot := l.slot
	err := l.disk.dev.Slots(slot, func(s store.SlotState) bool {
		if skip > 0 {
			skip--
			slot = s.Index + 1
			return true
		}
		if int64(len(dest)-len(out)) <= l.listing.length {
			slot = s.Index
			return false
		}
		out = l.listing.append(out, s)
		slot = s.Index + 1
		return true
	})
	if err != nil {
		return 0, err
	}
	l.slot, l.next = slot, off+int64(len(out))
	return len(out), nil
}

// seek moves to an offset and returns how many lines to skip to get there. A
// reader that goes on is where the last read ended; any other is taken to the
// line that its offset is in, as counted from the first.
func (l *pageLister) seek(off int64) (skip int64) {
	if off == l.next {
		return 0
	}
	l.slot = 0
	return off / l.listing.length
}
