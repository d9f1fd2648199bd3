package store

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync/atomic"
	"syscall"
	"time"

	"uzram/alloc"
	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
	"uzram/internal/park"
	"uzram/internal/snapshot"
)

// A snapshot is the disk as it was at one moment. I/O is held up for that moment
// only; afterwards a walk over the table copies what slots hold, and whoever is
// first to change a slot that the walk has not come to leaves it what was there:
//
//	walk      read lock: not yet done? copy what the slot holds; done
//	change    write lock: not yet done? note the old word; done. The old object
//	          is freed by the walk, once it has copied that too (kept.go)
//
// What moves pages without changing them (compaction, recompression, writeback)
// needs no such care: it waits for stretches of the walk only. A check does wait,
// because objects that no slot names would be findings.

// ErrSnapshot is what a second snapshot at a time gets.
var ErrSnapshot = fmt.Errorf("a snapshot is being taken: %w", syscall.EBUSY)

// ErrTooMuchChanged ends a snapshot, and nothing else.
var ErrTooMuchChanged = fmt.Errorf("too much of the disk changed while the snapshot was written: %w", syscall.ENOSPC)

// snapshotRun is a snapshot being taken.
type snapshotRun struct {
	*live
	kept
	scratch Scratch
	arena   *offheap.Arena // of the scratch
	past    table          // as it was touched at the moment
	ahead   blocksAhead
	now     uint32
	element [cellBytes]byte
}

// Snapshot writes the disk as it is at one moment after the call to out, with
// its settings. program is the version to be noted in it. If the snapshot cannot
// succeed any more while a Write is under way, abort is called, once, from any
// goroutine, and has to make that return.
//
// EINVAL: not set up; EBUSY: another one is being taken, or requests never ended;
// ENOSPC: more was changed meanwhile than may be kept; ENOMEM; EIO: a page could
// not be read from the backing device; ErrResetting; or what out says.
func (d *Device) Snapshot(program string, out io.Writer, abort func(error)) error {
	var l *live
	var head snapshot.Head
	err := d.withLive(func(now *live) error {
		l, head = now, d.snapshotHead(program)
		if !l.post.snapshotting.CompareAndSwap(false, true) {
			return ErrSnapshot
		}
		l.post.pending.Add(1)
		return nil
	})
	if err != nil {
		return err
	}
	defer l.post.pending.Done()
	defer l.post.snapshotting.Store(false)
	if err := l.post.beAlone(); err != nil {
		return err
	}
	defer l.post.notAlone()
	r, err := newSnapshotRun(l)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.begin(d, &head); err != nil {
		return err
	}
	err = r.write(out, head, abort)
	r.end(d)
	lockdep.AssertNoneHeld(lockdep.Settings)
	return err
}

// newSnapshotRun makes all that a snapshot needs but its moment. ENOMEM.
func newSnapshotRun(l *live) (*snapshotRun, error) {
	r := &snapshotRun{live: l, past: table{touched: make([]atomic.Uint64, len(l.table.touched))}}
	err := r.kept.open(uint64(len(l.table.slots)))
	if err == nil {
		r.arena, err = offheap.New(offheap.Scratch, 2*PageSize, PageSize)
	}
	if err == nil {
		err = r.arena.PopulateData(0, 2*PageSize)
	}
	if err == nil && l.backing != nil {
		err = r.ahead.open()
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("memory of the snapshot: %w", err)
	}
	r.scratch = Scratch{id: len(l.streams), waiter: park.NewWaiter(), block: r.arena.Data()[:PageSize+sealOverhead]}
	return r, nil
}

func (r *snapshotRun) close() {
	r.kept.close()
	r.ahead.close()
	if r.arena != nil {
		r.arena.Close()
	}
}

// begin chooses the moment.
func (r *snapshotRun) begin(d *Device, head *snapshot.Head) (err error) {
	for range holdTries {
		// All but what is touched while we try has its memory before I/O is held up.
		if err := r.backDone(r.table); err != nil {
			return err
		}
		r.passMu.Lock()
		held := d.holdIO(holdPatience, func() { err = r.moment(d, head) })
		r.passMu.Unlock()
		if held {
			return err
		}
		time.Sleep(restAfter)
	}
	return fmt.Errorf("requests do not end, the snapshot had to give up: %w", syscall.EBUSY)
}

// moment runs while I/O is held up: from now on changes are noted.
func (r *snapshotRun) moment(d *Device, head *snapshot.Head) error {
	failpoint.Hit(failpoint.SnapshotHeld)
	for i := range r.past.touched {
		r.past.touched[i].Store(r.table.touched[i].Load())
	}
	if err := r.backDone(&r.past); err != nil {
		return err
	}
	r.now = bootSeconds()
	r.bound(d.keptLeast, r.pool.Pages()*PageSize)
	head.Taken = time.Now().UTC().Truncate(time.Second)
	r.headFigures(head)
	r.live.snapshot.Store(r)
	return nil
}

// end returns when no request knows of the snapshot any more.
func (r *snapshotRun) end(d *Device) {
	r.stop(nil)
	r.live.snapshot.Store(nil)
	d.waitOutside(math.MaxInt64)
	r.drop(r.live)
}

// write writes the whole snapshot.
func (r *snapshotRun) write(out io.Writer, head snapshot.Head, abort func(error)) error {
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-r.post.stop:
			r.stop(ErrResetting)
			abort(ErrResetting)
		case <-r.stopped:
			abort(r.failure())
		case <-done:
		}
	}()
	w, err := snapshot.NewWriter(out, head)
	if err == nil {
		err = r.walk(w)
	}
	if err == nil {
		failpoint.Hit(failpoint.SnapshotEnd)
		err = w.Close()
	}
	close(done)
	<-watched
	if cause := r.failure(); cause != nil && err != nil {
		return cause
	}
	return err
}

// walk writes all pages: those that changed first, for they keep memory.
func (r *snapshotRun) walk(w *snapshot.Writer) error {
	for i, end := uint64(0), uint64(len(r.table.slots)); i < end; {
		if err := r.changed(w); err != nil {
			return err
		}
		var err error
		if i, err = r.stretch(w, i, end); err != nil {
			return err
		}
		if !w.HasRoom() {
			failpoint.Hit(failpoint.SnapshotChunk)
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
	return r.changed(w)
}

// stretch writes slots from i on, as many as there is room for or another pass
// can wait for, and returns the next one.
func (r *snapshotRun) stretch(w *snapshot.Writer, i, end uint64) (next uint64, err error) {
	r.passMu.Lock()
	defer r.passMu.Unlock()
	defer r.ahead.forget()
	last := r.past.touchedEnd(i, end, slotsPerStretch)
	from, to := r.past.touchedRange(i, last)
	for ; from < last; from, to = r.past.touchedRange(to, last) {
		for ; from < to; from++ {
			if !w.HasRoom() {
				return from, nil
			}
			if r.backing != nil && from >= r.ahead.next {
				r.readAhead(w, from, last)
			}
			if err := r.slot(w, from); err != nil {
				return from, err
			}
		}
	}
	return from, nil
}

// slot writes what slot i held at the moment, if it holds it still.
func (r *snapshotRun) slot(w *snapshot.Writer, i uint64) error {
	// A slot that is empty now was so at the moment, or its change was noted.
	if r.table.load(i).kind() == kindEmpty {
		return nil
	}
	r.table.rlock(i, r.scratch.waiter)
	defer r.table.runlock(i)
	if !r.finish(i) {
		return nil
	}
	s := &r.table.slots[i]
	return r.page(w, note{slot: i, e: entry(s.word.Load()), aux: s.aux.Load()})
}

// changed writes the pages whose slots have something else by now.
func (r *snapshotRun) changed(w *snapshot.Writer) error {
	for {
		if !w.HasRoom() {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		n, ok := r.next()
		if !ok {
			return r.failure()
		}
		err := r.page(w, n)
		r.release(alloc.NoWorker, n.e)
		if err != nil {
			return err
		}
	}
}

// page writes what a word stands for; w has room for it.
func (r *snapshotRun) page(w *snapshot.Writer, n note) (err error) {
	p := snapshot.Page{
		Slot:           n.slot,
		Seconds:        r.now - min(r.now, n.aux&secondsMask),
		Idle:           n.aux&idleMark != 0,
		Incompressible: n.e.incompressible(),
		OnBacking:      n.e.kind() == kindBlock,
	}
	switch n.e.kind() {
	case kindSame:
		p.Kind = snapshot.Lost
		if n.e != lostEntry {
			p.Kind, p.Data = snapshot.Same, r.elementOf(n.e)
		}
		return w.Page(&p)
	case kindObject:
		p.Data = r.pool.Bytes(n.e.handle(), n.e.size())
	case kindBlock:
		if p.Data, err = r.blockOf(n); err != nil {
			return err
		}
	}
	p.Priority = n.e.priority()
	switch {
	case n.e.size() < PageSize:
		p.Kind = snapshot.Object
	case n.e.wasHuge():
		p.Kind = snapshot.Huge
	default:
		p.Kind = snapshot.Plain
	}
	return w.Page(&p)
}

func (r *snapshotRun) elementOf(e entry) []byte {
	element, elsewhere := e.element()
	if elsewhere {
		element = r.elements.get(element)
	}
	return putElement(&r.element, element)
}

// blockOf reads what lies on the backing device.
func (r *snapshotRun) blockOf(n note) (_ []byte, err error) {
	if r.backing == nil {
		return nil, fmt.Errorf("page %d: %w", n.slot, corrupt(ErrNoBacking))
	}
	var block []byte
	if there, ok := r.ahead.find(n.e.block()); ok {
		block = r.scratch.block[:copy(r.scratch.block[:PageSize], there)]
		err = r.backing.unseal(&r.scratch, n.e.block())
	} else {
		block, err = r.backing.read(&r.scratch, n.e.block())
	}
	if err != nil {
		return nil, fmt.Errorf("page %d: %w", n.slot, err)
	}
	if n.e.size() < 1 || n.e.from()+n.e.size() > PageSize {
		return nil, fmt.Errorf("page %d: %w", n.slot, corrupt(errors.New("no such place in a block")))
	}
	return block[n.e.from():][:n.e.size()], nil
}
