package store

import (
	"errors"
	"fmt"
	"syscall"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/park"
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
	var priority int
	err = d.postProcess(func(*live) (err error) {
		priority, err = d.settings.recompression(r)
		return err
	}, func(l *live) error {
		p := newRecompressor(l, r, priority)
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

// recompressor is what one goroutine needs to recompress.
type recompressor struct {
	*live
	request  RecompressRequest
	priority int
	final    bool // there is no algorithm after this one
	scratch  Scratch
	object   []byte // a copy of what the slot held
	result   RecompressResult
	failure  error // first failure of a codec
}

func newRecompressor(l *live, r RecompressRequest, priority int) *recompressor {
	return &recompressor{
		live:     l,
		request:  r,
		priority: priority,
		final:    priority == l.secondaries.last(),
		scratch: Scratch{
			id:     len(l.streams), // of the counters for control verbs; to the pool it is no worker
			waiter: park.NewWaiter(),
			page:   make([]byte, PageSize, PageSize+slack),
			dst:    make([]byte, compress.DstSize(PageSize)),
		},
		object: make([]byte, PageSize, PageSize+slack),
	}
}

// selects implements selector.
func (p *recompressor) selects(e entry, aux uint32) bool {
	r := &p.request
	return e.priority() < p.priority && !e.incompressible() && e.size() >= r.Threshold &&
		(!r.Idle || aux&idleMark != 0) && (!r.Huge || e.huge())
}

func (p *recompressor) run() error {
	sweep := newSweep(p.live, p)
	var slots []uint64
	for !p.full() {
		if len(slots) == 0 {
			if slots = sweep.next(); len(slots) == 0 {
				break
			}
		}
		n := min(len(slots), pagesPerStretch)
		if err := p.stretch(slots[:n]); err != nil {
			return err
		}
		slots = slots[n:]
	}
	if p.post.stopped() {
		return ErrResetting
	}
	return p.failure
}

// full reports whether as many pages were tried as the request allows.
func (p *recompressor) full() bool {
	return p.request.HasMaxPages && p.result.Tried >= p.request.MaxPages
}

// stretch recompresses some pages while other passes wait.
func (p *recompressor) stretch(slots []uint64) error {
	p.passMu.Lock()
	defer p.passMu.Unlock()
	defer p.counters[p.scratch.id].add(&p.scratch.tally)
	for _, i := range slots {
		if p.post.stopped() {
			return ErrResetting
		}
		if p.full() {
			return nil
		}
		if err := p.slot(i); err != nil {
			return err
		}
	}
	return nil
}

// slot recompresses one page, if it is still selected. The error is one that
// ends the run.
func (p *recompressor) slot(i uint64) error {
	old, taken := p.take(&p.scratch, i, p, p.object)
	if !taken {
		return nil
	}
	p.result.Tried++
	object, err := p.pack(old)
	if err != nil {
		p.result.Failed++
		p.untake(&p.scratch, i, 0)
		if p.failure == nil {
			p.failure = fmt.Errorf("page %d: %w", i, err)
		}
		return nil
	}
	if object == nil {
		p.keep(i)
		return nil
	}
	h, err := p.pool.Alloc(alloc.NoWorker, len(object), i)
	if err != nil {
		p.result.Failed++
		p.untake(&p.scratch, i, 0)
		return fmt.Errorf("page %d: %w", i, err)
	}
	copy(p.pool.Bytes(h, len(object)), object)
	if !p.replace(&p.scratch, i, packedEntry(h, len(object), p.priority)) {
		p.pool.Free(alloc.NoWorker, h)
		p.result.Overtaken++
		return nil
	}
	p.result.Replaced++
	p.result.Saved += uint64(old.size() - len(object))
	return nil
}

// keep leaves a page that the algorithm does not help as it is. When there is
// none to come, the page is marked, not to be tried again until it is written.
func (p *recompressor) keep(i uint64) {
	var flags entry
	if p.final {
		flags = incompressibleBit
	}
	if !p.untake(&p.scratch, i, flags) {
		p.result.Overtaken++
		return
	}
	p.result.Kept++
	if p.final {
		p.result.Incompressible++
	}
}

// pack returns what the algorithm makes of the object that e stands for, nil if
// that takes no smaller size class or misses the threshold.
func (p *recompressor) pack(e entry) ([]byte, error) {
	object, page := p.object[:e.size()], p.scratch.page
	if e.huge() {
		page = object
	} else if err := p.secondaries.passReader[e.priority()].Decompress(page, object); err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrCorruptPage, err)
	}
	n, err := p.secondaries.writers[p.priority].Compress(p.scratch.dst, page)
	switch {
	case errors.Is(err, compress.ErrIncompressible):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w (%v)", ErrCodec, err)
	case alloc.ClassIndex(n) >= alloc.ClassIndex(e.size()), p.request.Threshold > 0 && n >= p.request.Threshold:
		return nil, nil
	}
	return p.scratch.dst[:n], nil
}
