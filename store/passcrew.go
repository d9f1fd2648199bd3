package store

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"uzram/compress"
	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
	"uzram/internal/park"
)

// passCrew does the work of recompression and writeback on several pages at a
// time. What its workers need is there from set-up on, so that none of it is
// missing when memory is short.
type passCrew struct {
	workers []*passWorker
	packers int // of them, the first, have encoders
	arena   *offheap.Arena
}

// maxPassCrew bounds the crew: more than a few would leave the disk's own I/O no
// CPU.
const maxPassCrew = 4

// passWorker is one of the crew, used by one goroutine at a time.
type passWorker struct {
	scratch Scratch
	object  []byte                            // a copy of what a slot held
	blocks  []byte                            // for writeback, with room behind for a seal
	bins    [blocksPerWrite]bin               // what is in them
	readers [priorities]compress.Decompressor // of all algorithms
	writers [priorities]compress.Stream       // of the secondary ones
}

// newPassCrew makes a crew of n whose counts are those of control verbs, each
// with so many blocks to write back.
func newPassCrew(n, verb, blocks int) (*passCrew, error) {
	dst := (compress.DstSize(PageSize) + PageSize - 1) &^ (PageSize - 1)
	sizes := [...]int{PageSize + slack, PageSize + slack, dst, blocks*PageSize + sealOverhead}
	each := 0
	for _, size := range sizes {
		each += (size + PageSize - 1) &^ (PageSize - 1)
	}
	arena, err := offheap.New(offheap.Scratch, uint64(n*each), uint64(each))
	if err != nil {
		return nil, err
	}
	c := &passCrew{arena: arena}
	if err := arena.PopulateData(0, uint64(n*each)); err != nil {
		c.close()
		return nil, err
	}
	rest := arena.Data()
	next := func(n, more int) (b []byte) {
		b, rest = rest[:n:n+more], rest[(n+more+PageSize-1)&^(PageSize-1):]
		return b
	}
	for range n {
		w := &passWorker{scratch: Scratch{id: verb, waiter: park.NewWaiter()}}
		w.scratch.page, w.object = next(PageSize, slack), next(PageSize, slack)
		w.scratch.dst, w.blocks = next(dst, 0), next(blocks*PageSize+sealOverhead, 0)
		c.workers = append(c.workers, w)
	}
	return c, nil
}

func (c *passCrew) close() {
	if c == nil {
		return
	}
	for _, w := range c.workers {
		for priority := range priorities {
			if s := w.writers[priority]; s != nil {
				s.Close()
			}
			if r := w.readers[priority]; r != nil {
				r.Close()
			}
		}
	}
	c.arena.Close()
}

// memory is what the crew's buffers take, in bytes.
func (c *passCrew) memory() uint64 {
	if c == nil {
		return 0
	}
	return c.arena.Resident()
}

// all is the crew's workers, none if there is no crew.
func (c *passCrew) all() []*passWorker {
	if c == nil {
		return nil
	}
	return c.workers
}

// openCrew makes the crew, where there is a secondary algorithm or a backing
// device, and what reads ahead from the latter. ENOMEM: no memory for its buffers.
func (d *Device) openCrew(l *live) (err error) {
	cpus := min(runtime.NumCPU(), maxPassCrew)
	switch {
	case l.backing != nil: // half of those who write back wait for the backing device
		l.crew, err = newPassCrew(min(2*cpus, maxPassCrew), len(l.streams), blocksPerWrite)
	case d.settings.lastSecondary() > 0:
		l.crew, err = newPassCrew(cpus, len(l.streams), 0)
	}
	if l.crew != nil {
		l.crew.packers = cpus // an encoder may be large
	}
	if err == nil && l.backing != nil {
		l.fetch, err = newFetchCrew(l, len(l.streams))
	}
	if err != nil {
		return fmt.Errorf("buffers of recompression and writeback: %w", err)
	}
	return nil
}

// openAlgorithms opens what the crew needs of all algorithms, and the disk's
// workers to read what secondary ones wrote. primary is a stream that nobody
// uses meanwhile. What was opened before an error is in l.
func (d *Device) openAlgorithms(l *live, primary compress.Stream) error {
	if l.crew == nil {
		return nil
	}
	for priority := range priorities {
		if err := d.openAlgorithm(l, priority, primary); err != nil {
			return err
		}
	}
	return nil
}

func (d *Device) openAlgorithm(l *live, priority int, primary compress.Stream) error {
	codec, params, err := d.algorithm(priority)
	if codec == nil || err != nil {
		return err
	}
	writer := primary
	for k, w := range l.crew.all() {
		if priority > 0 && k < l.crew.packers {
			if w.writers[priority], err = codec.NewStream(params); err != nil {
				return err
			}
			writer = w.writers[priority]
		}
		if w.readers[priority], err = compress.NewDecompressor(codec, params, writer); err != nil {
			return err
		}
	}
	if priority == 0 {
		return nil // the workers have streams
	}
	for range l.streams {
		reader, err := compress.NewDecompressor(codec, params, writer)
		if err != nil {
			return err
		}
		l.readers[priority] = append(l.readers[priority], reader)
	}
	return nil
}

// contexts are all encoders and decoders of a priority.
func (l *live) contexts(priority int) (all []compress.Decompressor) {
	if priority == 0 {
		for _, s := range l.streams {
			all = append(all, s)
		}
	}
	for _, w := range l.crew.all() {
		if s := w.writers[priority]; s != nil {
			all = append(all, s)
		}
		if r := w.readers[priority]; r != nil {
			all = append(all, r)
		}
	}
	return append(all, l.readers[priority]...)
}

// decompress fills the worker's page from an object that it copied, and returns
// it.
func (w *passWorker) decompress(e entry, object []byte) ([]byte, error) {
	if e.huge() {
		return object, nil
	}
	reader := w.readers[e.priority()]
	if reader == nil {
		return nil, corrupt(errNoAlgorithm)
	}
	err := failpoint.Error(failpoint.Decompress)
	if err == nil {
		err = reader.Decompress(w.scratch.page, object)
	}
	if err != nil {
		return nil, corrupt(err)
	}
	return w.scratch.page, nil
}

// slotsPerStretch is how many slots a run works on before other passes get their
// turn.
const slotsPerStretch = 1024

// share lets up to n of the crew work on shares [from, to) of total slots, size
// each, with passMu held by the caller. It returns the errors that ended workers.
func (l *live) share(n, size, total int, work func(w *passWorker, from, to int) error) error {
	crew := l.crew.workers
	errs := make([]error, len(crew))
	var next atomic.Int64
	var wg sync.WaitGroup
	for k, w := range crew[:min(n, len(crew), (total+size-1)/size)] {
		wg.Go(func() {
			for errs[k] == nil && !l.post.stopped() {
				to := int(next.Add(int64(size)))
				if to-size >= total {
					break
				}
				errs[k] = work(w, to-size, min(to, total))
			}
			l.counters[w.scratch.id].add(&w.scratch.tally)
			lockdep.AssertNoneHeld(lockdep.Pass)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
