package store

import (
	"errors"
	"fmt"
	"syscall"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
)

// RecompressRequest says which pages to compress once more, and how. The zero
// value is every page that may gain, by the algorithm of priority 1.
type RecompressRequest struct {
	Idle, Huge  bool   // only pages that are so; both: that are both
	Threshold   int    // bytes; only pages at least as large, and to below it; 0 = none
	MaxPages    uint64 // how many to try
	HasMaxPages bool
	Algo        string // "" = not given
	Priority    int
	HasPriority bool
}

// RecompressResult is what a run did. Tried is the sum of what follows it, but
// for Incompressible, which is a part of Kept.
type RecompressResult struct {
	Tried          uint64 // pages
	Replaced       uint64
	Kept           uint64 // the algorithm did not help
	Overtaken      uint64 // used by somebody before the work on them was done
	Failed         uint64 // the codec failed, or there was no memory; they are as they were
	Incompressible uint64 // marked so: the last algorithm did not help
	Saved          uint64 // bytes of objects
}

// Recompress replaces objects by those of a secondary algorithm, largest first,
// where that takes a smaller size class. It leaves alone what the same or a
// later algorithm compressed already, and what is marked incompressible. The
// memory limit does not hold for it.
//
// EINVAL: not set up; a threshold below 0, or one that no compressed page
// reaches; an algorithm or priority that is not configured. ENOMEM ends the run;
// EIO, a codec's failure, does not, and the first one is returned. ErrResetting:
// the device was reset meanwhile. The result is right in any case.
func (d *Device) Recompress(r RecompressRequest) (result RecompressResult, err error) {
	if r.Threshold < 0 || r.Threshold >= alloc.HugeThreshold {
		return result, fmt.Errorf("threshold %d: accepted are 0 to %d bytes: %w", r.Threshold, alloc.HugeThreshold-1, syscall.EINVAL)
	}
	p := &recompression{request: r}
	err = d.postProcess(func(*live) (err error) {
		p.priority, err = d.settings.recompression(r)
		p.final = p.priority == d.settings.lastSecondary()
		return err
	}, func(l *live) error {
		p.live = l
		err := p.run()
		result = p.result
		return err
	})
	return result, err
}

// recompression is the priority that a request means.
func (s *settings) recompression(r RecompressRequest) (int, error) {
	priority := r.Priority
	if !r.HasPriority {
		priority = 1
	}
	if !secondary(priority) {
		return 0, errPriority(priority, 1)
	}
	if r.Algo != "" {
		return s.named(r.Algo, r.Priority, r.HasPriority, 1)
	}
	if s.algorithm[priority] == "" {
		return 0, fmt.Errorf("priority %d has no algorithm: %w", priority, syscall.EINVAL)
	}
	return priority, nil
}

// recompression is a run.
type recompression struct {
	*live
	request  RecompressRequest
	priority int
	final    bool // there is no algorithm after this one

	mu      lockdep.Mutex[lockdep.LeafRank]
	result  RecompressResult
	failure error // first failure of a codec
}

// slotsPerShare is how many slots one of the crew recompresses at a time.
const slotsPerShare = 8

// selects implements selector.
func (p *recompression) selects(_ uint64, e entry, aux uint32) bool {
	r := &p.request
	return e.priority() < p.priority && !e.incompressible() && e.size() >= r.Threshold &&
		(!r.Idle || aux&idleMark != 0) && (!r.Huge || e.huge())
}

func (p *recompression) run() error {
	err := p.stretches(p, nil, func(slots []uint64) (int, error) {
		if r := &p.request; r.HasMaxPages {
			slots = slots[:min(uint64(len(slots)), r.MaxPages-p.result.Tried)]
		}
		err := p.share(p.crew.packers, slotsPerShare, len(slots), func(w *passWorker, from, to int) error {
			return p.slots(w, slots[from:to])
		})
		return len(slots), err
	})
	if err == nil {
		err = p.failure
	}
	return err
}

// slots recompresses those that are still selected. The error is one that ends
// the run.
func (p *recompression) slots(w *passWorker, slots []uint64) (err error) {
	var r RecompressResult
	for _, i := range slots {
		if p.post.stopped() {
			break
		}
		if err = p.slot(w, i, &r); err != nil {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.result.add(r)
	return err
}

func (r *RecompressResult) add(more RecompressResult) {
	r.Tried += more.Tried
	r.Replaced += more.Replaced
	r.Kept += more.Kept
	r.Overtaken += more.Overtaken
	r.Failed += more.Failed
	r.Incompressible += more.Incompressible
	r.Saved += more.Saved
}

// slot recompresses one page, if it is still selected. The error is one that
// ends the run.
func (p *recompression) slot(w *passWorker, i uint64, r *RecompressResult) error {
	old, ok := p.take(&w.scratch, i, p, w.object)
	if !ok {
		return nil
	}
	r.Tried++
	failpoint.Hit(failpoint.PostCopied)
	object, err := p.pack(w, old.e)
	failpoint.Hit(failpoint.RecompressPacked)
	if err != nil {
		r.Failed++
		p.untake(&w.scratch, i, 0)
		p.failed(fmt.Errorf("page %d: %w", i, err))
		return nil
	}
	if object == nil {
		p.keep(w, i, r)
		return nil
	}
	h, err := p.pool.Alloc(alloc.NoWorker, len(object), i)
	if err != nil {
		r.Failed++
		p.untake(&w.scratch, i, 0)
		return fmt.Errorf("page %d: %w", i, err)
	}
	failpoint.Hit(failpoint.RecompressAllocated)
	copy(p.pool.Bytes(h, len(object)), object)
	failpoint.Hit(failpoint.RecompressFilled)
	// The time of the last access becomes 0, as it does in the kernel.
	if !p.replace(&w.scratch, i, packedEntry(h, len(object), p.priority), 0) {
		p.pool.Free(alloc.NoWorker, h)
		r.Overtaken++
		return nil
	}
	r.Replaced++
	r.Saved += uint64(old.e.size() - len(object))
	return nil
}

func (p *recompression) failed(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failure == nil {
		p.failure = err
	}
}

// keep leaves a page that the algorithm does not help as it is. When there is
// none to come, the page is marked, not to be tried again until it is written.
func (p *recompression) keep(w *passWorker, i uint64, r *RecompressResult) {
	var flags entry
	if p.final {
		flags = incompressibleBit
	}
	if !p.untake(&w.scratch, i, flags) {
		r.Overtaken++
		return
	}
	r.Kept++
	if p.final {
		r.Incompressible++
	}
}

// pack returns what the algorithm makes of the object that e stands for, nil if
// that takes no smaller size class or misses the threshold.
func (p *recompression) pack(w *passWorker, e entry) ([]byte, error) {
	page, err := w.decompress(e, w.object[:e.size()])
	if err != nil {
		return nil, err
	}
	n, err := w.writers[p.priority].Compress(w.scratch.dst, page)
	if fault := failpoint.Error(failpoint.Compress); fault != nil {
		err = fault
	}
	switch {
	case errors.Is(err, compress.ErrIncompressible):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w (%v)", ErrCodec, err)
	case alloc.ClassIndex(n) >= alloc.ClassIndex(e.size()), p.request.Threshold > 0 && n >= p.request.Threshold:
		return nil, nil
	}
	return w.scratch.dst[:n], nil
}
