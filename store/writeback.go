package store

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"syscall"

	"uzram/internal/lockdep"
)

// PageRange is pages First to Last, both included.
type PageRange struct{ First, Last uint64 }

// WritebackRequest says which pages to write back: those in Pages, whatever they
// are; or, without Pages, all that are everything that is asked for, none if
// nothing is.
type WritebackRequest struct {
	Idle, Huge, Incompressible bool
	Pages                      []PageRange
}

// WritebackResult is what a run did. Tried is the sum of what follows it, but
// for Freed.
type WritebackResult struct {
	Tried     uint64 // pages
	Written   uint64
	Overtaken uint64 // used by somebody before they were written
	Failed    uint64 // could not be written, or not be decompressed; they are as they were
	Freed     uint64 // bytes of objects
}

// Writeback moves pages from memory to the backing device, those with the
// largest objects first, and leaves alone what is same-filled or there already.
//
// EINVAL: not set up; ENODEV: no backing device; ERANGE: a range past the disk's
// end or with its ends reversed; nothing is written then. EIO when the budget of
// WritebackLimit is used up, ENOSPC when the backing device is full: what was
// written stays written. A write that fails does not end the run; the last
// failure is returned. ErrResetting: the device was reset meanwhile. The result
// is right in any case.
func (d *Device) Writeback(r WritebackRequest) (result WritebackResult, err error) {
	err = d.postProcess(func(l *live) error {
		if l.backing == nil {
			return ErrNoBacking
		}
		return r.check(uint64(len(l.table.slots)))
	}, func(l *live) error {
		if !r.Idle && !r.Huge && !r.Incompressible && len(r.Pages) == 0 {
			return nil
		}
		p := &writeback{live: l, request: r, settings: &d.writing, compressed: d.writing.compressed.Load()}
		p.request.Pages = merged(r.Pages)
		err := p.run()
		result = p.result
		return err
	})
	return result, err
}

// WritebackReady returns nil if pages can be written back, else what Writeback
// would say of it.
func (d *Device) WritebackReady() error {
	return d.withLive(func(l *live) error {
		if l.backing == nil {
			return ErrNoBacking
		}
		return nil
	})
}

func (r *WritebackRequest) check(pages uint64) error {
	for _, x := range r.Pages {
		if x.Last >= pages || x.First > x.Last {
			return fmt.Errorf("pages %d-%d: accepted are pages 0 to %d, ascending: %w", x.First, x.Last, pages-1, syscall.ERANGE)
		}
	}
	return nil
}

// merged is ranges ascending and apart.
func merged(ranges []PageRange) (out []PageRange) {
	ranges = slices.Clone(ranges)
	slices.SortFunc(ranges, func(a, b PageRange) int { return cmp.Compare(a.First, b.First) })
	for _, r := range ranges {
		if n := len(out); n > 0 && r.First <= out[n-1].Last {
			out[n-1].Last = max(out[n-1].Last, r.Last)
		} else {
			out = append(out, r)
		}
	}
	return out
}

// writeback is a run.
type writeback struct {
	*live
	request    WritebackRequest // Pages ascending and apart
	settings   *writebackSettings
	compressed bool

	// of the stretch under way; workers use their shares of them
	slots  []uint64
	blocks []uint64 // one for each slot
	items  [slotsPerStretch]item
	list   [slotsPerStretch]uint64

	mu      lockdep.Mutex[lockdep.LeafRank]
	result  WritebackResult
	failure error // the last one
}

// item is a page on its way to the backing device.
type item struct {
	slot  uint64
	taken taken
	block uint64
	size  int // as in the commit word
	err   error
}

// blocksPerWrite is how many blocks one write has at most.
const blocksPerWrite = 64

// selects implements selector.
func (p *writeback) selects(i uint64, e entry, aux uint32) bool {
	r := &p.request
	if len(r.Pages) > 0 {
		k := sort.Search(len(r.Pages), func(k int) bool { return r.Pages[k].Last >= i })
		return k < len(r.Pages) && r.Pages[k].First <= i
	}
	return (!r.Idle || aux&idleMark != 0) && (!r.Huge || e.huge()) && (!r.Incompressible || e.incompressible())
}

func (p *writeback) run() error {
	err := p.stretches(p, p.stretch)
	if err == nil {
		err = p.failure
	}
	return err
}

// stretch writes some of the slots back, as many as there are blocks and budget
// for.
func (p *writeback) stretch(slots []uint64) (done int, err error) {
	budget := p.settings.reserve(len(slots))
	p.blocks = p.backing.take(p.list[:budget])
	if len(p.blocks) == 0 {
		p.settings.giveBack(budget)
		if !p.anySelected(slots) {
			return len(slots), nil
		}
		if budget == 0 {
			return 0, ErrBudget
		}
		return 0, ErrBackingFull
	}
	p.slots = slots[:len(p.blocks)]
	before := p.result
	batch := int(min(p.settings.batch.Load(), blocksPerWrite*maxPassCrew))
	n := min(batch, len(p.crew.workers))
	err = p.share(n, min(batch/n, blocksPerWrite), len(p.slots), p.write)
	p.settings.giveBack(budget - int(p.result.Written+p.result.Overtaken-before.Written-before.Overtaken))
	for _, block := range p.blocks {
		if block != noBlock {
			p.backing.give(block)
		}
	}
	return len(p.slots), err
}

// noBlock is in place of a block that was used.
const noBlock = ^uint64(0)

// anySelected reports whether there is work to do for any of the slots.
func (p *writeback) anySelected(slots []uint64) bool {
	return slices.ContainsFunc(slots, func(i uint64) bool {
		slot := &p.table.slots[i]
		e := entry(slot.word.Load())
		return e.kind() == kindObject && p.selects(i, e, slot.aux.Load())
	})
}

// write writes slots [from, to) of the stretch that are still selected, to the
// blocks that are there for them.
func (p *writeback) write(w *passWorker, from, to int) error {
	var r WritebackResult
	items, blocks := p.items[from:from:to], p.blocks[from:to]
	for _, i := range p.slots[from:to] {
		t, ok := p.take(&w.scratch, i, p, w.object)
		if !ok {
			continue
		}
		r.Tried++
		size, err := p.fill(w, w.blocks[len(items)*PageSize:][:PageSize], t.e)
		if err != nil {
			r.Failed++
			p.untake(&w.scratch, i, 0)
			p.failed(fmt.Errorf("page %d: %w", i, err))
			continue
		}
		items = append(items, item{slot: i, taken: t, block: blocks[len(items)], size: size})
	}
	p.writeItems(w, items)
	for k := range items {
		if p.commit(w, &items[k], &r) {
			blocks[k] = noBlock
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result.add(r)
	return nil
}

func (r *WritebackResult) add(more WritebackResult) {
	r.Tried += more.Tried
	r.Written += more.Written
	r.Overtaken += more.Overtaken
	r.Failed += more.Failed
	r.Freed += more.Freed
}

func (p *writeback) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = err
}

// fill makes the block of an object that was copied, and returns the size for
// the commit word.
func (p *writeback) fill(w *passWorker, block []byte, e entry) (int, error) {
	object := w.object[:e.size()]
	if p.compressed {
		clear(block[copy(block, object):])
		return len(object), nil
	}
	page, err := w.decompress(e, object)
	if err != nil {
		return 0, err
	}
	copy(block, page)
	return PageSize, nil
}

// writeItems writes the blocks of items, which lie one behind the other in the
// worker's buffer, and notes errors. Neighbours go out in one write; if that
// fails each is tried alone.
func (p *writeback) writeItems(w *passWorker, items []item) {
	for from := 0; from < len(items); {
		to := from + 1
		for to < len(items) && items[to].block == items[to-1].block+1 {
			to++
		}
		err := p.backing.write(w.blocks[from*PageSize:to*PageSize], items[from].block)
		for k := from; k < to && err != nil; k++ {
			items[k].err = err
			if to-from > 1 {
				items[k].err = p.backing.write(w.blocks[k*PageSize:(k+1)*PageSize], items[k].block)
			}
		}
		from = to
	}
}

// commit lets the slot of an item name its block from now on, if that was
// written and nobody used the page meanwhile.
func (p *writeback) commit(w *passWorker, it *item, r *WritebackResult) bool {
	if it.err != nil {
		r.Failed++
		p.untake(&w.scratch, it.slot, 0)
		p.failed(fmt.Errorf("page %d: %w", it.slot, it.err))
		return false
	}
	e := blockEntry(it.taken.e, int64(it.block)*PageSize, it.size)
	if !p.replace(&w.scratch, it.slot, e, it.taken.used) {
		r.Overtaken++
		return false
	}
	r.Written++
	r.Freed += uint64(it.taken.e.size())
	return true
}
