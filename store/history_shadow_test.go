package store

import (
	"bytes"
	"fmt"
	"slices"

	"uzram/alloc"
	"uzram/compress"
)

// shadow is what a disk should be: a plain array, what each page is stored as,
// and the counts that follow. A nil disk is one that is not set up.
type shadow struct {
	disk  []byte
	pages []shadowPage
	sizes sizer
	counts
	limit uint64 // pages; 0 = none

	packed uint64 // blocks in use, where pages share them
}

type shadowPage struct {
	kind           kind
	size           int // bytes of the object
	priority       int // of the algorithm
	incompressible bool
	idle           bool
	wasHuge        bool // when it was written back
}

// counts are the figures of Stats that a history determines.
type counts struct {
	orig, compr, same, huge          uint64 // pages, bytes, pages, pages
	hugeSince, notifyFree, missFree  uint64
	failedReads, failedWrites, limit uint64
	blocks, blockWrites              uint64 // of the backing device
}

// sizer tells how many bytes a page takes, by priority of the algorithm. Codecs
// are deterministic, so streams of its own find what the device's do.
type sizer []compress.Stream

func (s sizer) of(priority int, page []byte) int {
	dst := make([]byte, compress.DstSize(PageSize))
	n, err := s[priority].Compress(dst, page)
	if err != nil {
		panic(err)
	}
	if n >= alloc.HugeThreshold {
		return PageSize
	}
	return n
}

func newShadow(bytes int, sizes sizer) *shadow {
	return &shadow{disk: make([]byte, bytes), pages: make([]shadowPage, bytes/PageSize), sizes: sizes}
}

func (sh *shadow) clone() *shadow {
	c := *sh
	c.disk, c.pages = bytes.Clone(sh.disk), slices.Clone(sh.pages)
	return &c
}

func (sh *shadow) page(i int) []byte { return sh.disk[i*PageSize : (i+1)*PageSize] }

// commit follows a write of page i, whose contents are in disk already.
func (sh *shadow) commit(i int) {
	p := &sh.pages[i]
	*p = shadowPage{kind: kindSame}
	if _, same := sameFilled(sh.page(i)); same {
		return
	}
	*p = shadowPage{kind: kindObject, size: sh.sizes.of(0, sh.page(i))}
	if p.size == PageSize {
		sh.hugeSince++
	}
}

// store follows a write of b at off.
func (sh *shadow) store(b []byte, off int) {
	if len(b) == 0 {
		return
	}
	copy(sh.disk[off:], b)
	for i := off / PageSize; i*PageSize < off+len(b); i++ {
		sh.commit(i)
	}
}

func (sh *shadow) empty(i int) {
	sh.pages[i] = shadowPage{}
	clear(sh.page(i))
}

// zero follows the discard of [off, end), a part of one page.
func (sh *shadow) zero(off, end int) {
	if off < end && sh.pages[off/PageSize].kind != kindEmpty {
		clear(sh.disk[off:end])
		sh.commit(off / PageSize)
	}
}

// discard follows a discard of [off, end). A failure at one end leaves what came
// before done: afterHead and afterPages say whether it came so far.
func (sh *shadow) discard(off, end int, afterHead, afterPages bool) {
	first, last := (off+PageSize-1)/PageSize, end/PageSize
	if !afterHead {
		return
	}
	if off%PageSize != 0 {
		sh.zero(off, min(end, first*PageSize))
	}
	for i := first; i < last; i++ {
		sh.empty(i)
		sh.notifyFree++
	}
	if afterPages && last >= first {
		sh.zero(last*PageSize, end)
	}
}

// access follows a read of pages first to last, as far as it came.
func (sh *shadow) access(first, last int) {
	for i := first; i <= last && i < len(sh.pages); i++ {
		sh.pages[i].idle = false
	}
}

// total is the counts with the sums over the pages filled in.
func (sh *shadow) total() (c counts) {
	c = sh.counts
	c.limit = sh.limit * PageSize
	defer func() {
		if sh.packed > 0 {
			c.blocks = min(c.blocks, sh.packed)
		}
	}()
	for _, p := range sh.pages {
		if p.kind == kindEmpty {
			continue
		}
		c.orig += PageSize
		c.compr += uint64(p.size)
		switch p.kind {
		case kindSame:
			c.same++
		case kindBlock:
			c.blocks++
		}
		if p.size == PageSize {
			c.huge++
		}
	}
	return c
}

// countsOf picks from a device's figures what a shadow predicts.
func countsOf(s Stats) counts {
	return counts{
		orig: s.OrigDataSize, compr: s.ComprDataSize, same: s.SamePages, huge: s.HugePages,
		hugeSince: s.HugePagesSince, notifyFree: s.NotifyFree, missFree: s.MissFree,
		failedReads: s.FailedReads, failedWrites: s.FailedWrites, limit: s.MemLimit,
		blocks: s.BackingUsed, blockWrites: s.BackingWrites,
	}
}

// slots is what block_state should show.
func (sh *shadow) slots() (list []SlotState) {
	for i, p := range sh.pages {
		if p.kind != kindEmpty {
			state := SlotState{
				Index: uint64(i), Same: p.kind == kindSame, Huge: p.size == PageSize || p.wasHuge, WrittenBack: p.kind == kindBlock,
				Idle: p.idle, Recompressed: p.priority > 0, Incompressible: p.incompressible, Priority: p.priority,
			}
			if p.kind == kindObject {
				state.Size = p.size
			}
			list = append(list, state)
		}
	}
	return list
}

// compare holds a device at rest to its shadow, but for the contents. Its
// invariants are checked too if thorough is set, which takes longer.
func (sh *shadow) compare(d *Device, thorough bool) error {
	if sh.disk == nil {
		if d.Initialised() {
			return fmt.Errorf("the device is set up")
		}
		return nil
	}
	if thorough {
		report, err := d.Check()
		if err != nil || len(report.Findings) > 0 {
			return fmt.Errorf("check: %q, %v", report.Findings, err)
		}
	}
	st := d.Stats()
	if got, want := countsOf(st), sh.total(); got != want {
		return fmt.Errorf("counts are %+v, want %+v", got, want)
	}
	if st.MemUsedTotal < st.ComprDataSize || st.Disksize != uint64(len(sh.disk)) {
		return fmt.Errorf("figures that cannot be: %+v", st)
	}
	if got, want := slotsOf(d), sh.slots(); !slices.Equal(got, want) {
		return fmt.Errorf("slots are %+v, want %+v", got, want)
	}
	return nil
}

// slotsOf is block_state without times.
func slotsOf(d *Device) (list []SlotState) {
	_ = d.Slots(0, func(s SlotState) bool {
		s.Seconds = 0
		list = append(list, s)
		return true
	})
	return list
}
