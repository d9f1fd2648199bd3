package store

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"syscall"

	"uzram/internal/failpoint"
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

// WritebackResult is what a run did. Tried is the sum of the three after it.
type WritebackResult struct {
	Tried     uint64 // pages
	Written   uint64
	Overtaken uint64 // used by somebody before they were written
	Failed    uint64 // could not be written, or not be decompressed; they are as they were
	Freed     uint64 // bytes of objects
	Blocks    uint64 // of the backing device that were written
}

// Writeback moves pages from memory to the backing device, those with the
// largest objects first where not all may get there, and leaves alone what is
// same-filled or there already.
//
// EINVAL: not set up; ENODEV: no backing device; ERANGE: a range past the disk's
// end or with its ends reversed; nothing is written then. EIO when the budget of
// WritebackLimit is used up, ENOSPC when the backing device is full, ENOMEM for
// want of memory to note its blocks: what was written stays written. A write
// that fails does not end the run unless nothing near it can be written either;
// the last failure is returned. ErrResetting: the device was reset meanwhile.
// The result is right in any case.
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
		if err := d.mayWriteBack(l.post.stop); err != nil {
			return err
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
	most   int      // blocks that a worker has in flight
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
	bin   int // which of the worker's blocks holds it
	from  int // where in it
	size  int // as in the commit word
}

const (
	// blocksPerWrite is how many blocks one write has at most.
	blocksPerWrite = 64
	// blocksAtLeast is how many it should have: larger writes gain more than more
	// of them at a time.
	blocksAtLeast = 16
)

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
	err := p.stretches(p, p.anyOrder, p.stretch)
	if err == nil {
		err = p.failure
	}
	return err
}

// anyOrder reports whether the order of that many pages makes no difference to
// what is written in the end; or only that objects of all sizes side by side fill
// blocks best.
func (p *writeback) anyOrder(total int) bool {
	free := int64(p.backing.blocks) - p.backing.used.Load()
	return p.backing.shares != nil || p.settings.limited.Load() == 0 && int64(total) <= free
}

// stretch writes some of the slots back, as many as there are blocks and budget
// for.
func (p *writeback) stretch(slots []uint64) (done int, err error) {
	budget := p.settings.reserve(len(slots))
	p.blocks, err = p.backing.take(p.list[:budget.blocks])
	if len(p.blocks) == 0 {
		p.settings.giveBack(budget, 0)
		switch {
		case !p.anySelected(slots):
			return len(slots), nil
		case err != nil:
			return 0, err
		case budget.blocks == 0:
			return 0, ErrBudget
		}
		return 0, ErrBackingFull
	}
	failpoint.Hit(failpoint.WritebackReserved)
	p.slots = slots[:len(p.blocks)]
	before := p.result
	batch := int(min(p.settings.batch.Load(), blocksPerWrite*maxPassCrew))
	n := max(1, min(batch/blocksAtLeast, len(p.crew.workers)))
	p.most = min(batch/n, blocksPerWrite)
	size := p.most
	if p.backing.shares != nil {
		size = blocksPerWrite // the more to choose from, the fuller the blocks
	}
	err = p.share(n, size, len(p.slots), p.write)
	failpoint.Hit(failpoint.WritebackEnded)
	p.settings.giveBack(budget, p.result.Blocks-before.Blocks)
	for _, block := range p.blocks {
		if block != noBlock {
			p.backing.give(block)
		}
	}
	failpoint.Hit(failpoint.WritebackGiven)
	if err == nil && p.result.Failed > before.Failed && p.result.Written+p.result.Overtaken == before.Written+before.Overtaken {
		err = p.failure // the rest stays as it is, idle marks and all
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

// write writes slots [from, to) of the stretch that are still selected, to
// blocks out of those that are there for them.
func (p *writeback) write(w *passWorker, from, to int) error {
	var r WritebackResult
	items, blocks := p.items[from:from:to], p.blocks[from:to]
	bins := w.bins[:0]
	for _, i := range p.slots[from:to] {
		t, ok := p.take(&w.scratch, i, p, w.object)
		if !ok {
			continue
		}
		r.Tried++
		failpoint.Hit(failpoint.PostCopied)
		content, err := p.content(w, t.e)
		if err != nil {
			r.Failed++
			p.untake(&w.scratch, i, 0)
			p.failed(fmt.Errorf("page %d: %w", i, err))
			continue
		}
		k := p.fit(bins, len(content))
		if k == len(bins) {
			bins = append(bins, bin{block: blocks[k]})
			clear(w.block(k))
		}
		b := &bins[k]
		items = append(items, item{slot: i, taken: t, bin: k, from: b.fill, size: len(content)})
		copy(w.block(k)[b.fill:], content)
		b.fill += (len(content) + placeUnit - 1) &^ (placeUnit - 1)
	}
	failpoint.Hit(failpoint.WritebackFilled)
	p.writeBins(w, bins)
	failpoint.Hit(failpoint.WritebackWritten)
	for k := range items {
		p.commit(w, &items[k], &bins[items[k].bin], &r)
	}
	for k := range bins {
		if bins[k].err == nil {
			r.Blocks++
		}
		// Of a block that has no objects, the share is the last.
		if p.backing.shares != nil || !bins[k].named {
			p.backing.give(bins[k].block)
		}
		blocks[k] = noBlock
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
	r.Blocks += more.Blocks
}

func (p *writeback) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = err
}

// bin is a block that is being filled.
type bin struct {
	block uint64
	fill  int   // bytes
	named bool  // by a slot
	err   error // of writing it
}

// block is the k-th of the worker's blocks.
func (w *passWorker) block(k int) []byte { return w.blocks[k*PageSize:][:PageSize] }

// content is what goes out for an object that was copied.
func (p *writeback) content(w *passWorker, e entry) ([]byte, error) {
	object := w.object[:e.size()]
	if p.compressed {
		return object, nil
	}
	return w.decompress(e, object)
}

// fit is the bin for size bytes: the fullest that has room for them, or a new
// one.
func (p *writeback) fit(bins []bin, size int) int {
	best := len(bins)
	if p.backing.shares == nil {
		return best
	}
	for k := range bins {
		if bins[k].fill+size <= PageSize && (best == len(bins) || bins[k].fill > bins[best].fill) {
			best = k
		}
	}
	return best
}

// writeBins writes the worker's blocks, and notes errors. Neighbours go out in
// one write; if that fails each is tried alone.
func (p *writeback) writeBins(w *passWorker, bins []bin) {
	if seals := p.backing.seals; seals != nil {
		for k := range bins {
			seals.seal(&w.scratch, w.blocks[k*PageSize:], bins[k].block)
		}
	}
	failpoint.Hit(failpoint.WritebackSealed)
	for from := 0; from < len(bins); {
		to := from + 1
		for to < len(bins) && to-from < p.most && bins[to].block == bins[to-1].block+1 {
			to++
		}
		err := p.backing.write(w.blocks[from*PageSize:to*PageSize], bins[from].block)
		for k := from; k < to && err != nil; k++ {
			bins[k].err = err
			if to-from > 1 {
				bins[k].err = p.backing.write(w.block(k), bins[k].block)
			}
		}
		from = to
	}
}

// commit lets the slot of an item name its block from now on, if that was
// written and nobody used the page meanwhile.
func (p *writeback) commit(w *passWorker, it *item, b *bin, r *WritebackResult) {
	if b.err != nil {
		r.Failed++
		p.untake(&w.scratch, it.slot, 0)
		p.failed(fmt.Errorf("page %d: %w", it.slot, b.err))
		return
	}
	p.backing.share(b.block)
	failpoint.Hit(failpoint.WritebackShared)
	e := blockEntry(it.taken.e, int64(b.block)*PageSize+int64(it.from), it.size)
	if !p.replace(&w.scratch, it.slot, e, it.taken.used) {
		if p.backing.shares != nil {
			p.backing.give(b.block)
		}
		r.Overtaken++
		return
	}
	b.named = true
	r.Written++
	r.Freed += uint64(it.taken.e.size())
}
