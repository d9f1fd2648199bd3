package store

import (
	"sync"

	"uzram/internal/lockdep"
	"uzram/internal/offheap"
	"uzram/internal/park"
)

// A request for several pages that lie on the backing device does not wait for
// one after the other: their blocks are fetched ahead by goroutines of the
// device. Each of these locks a slot, reads its block and unlocks the slot; what
// it has then is a private copy, which the worker decodes when it comes to the
// page. So still nobody has two slots locked, and a page reads as it was at some
// moment of the request.

const (
	fetchAhead = 16 // blocks of one request that are under way at most
	fetchers   = 16 // goroutines, and so blocks under way at most
)

// fetch is one block on its way into memory.
type fetch struct {
	slot    uint64
	started bool
	done    chan struct{} // receives when the rest may be looked at

	scratch Scratch // block and what sealing needs
	e       entry   // what the slot had
	block   []byte
	err     error
}

// fetchCrew fetches for all workers of a device.
type fetchCrew struct {
	jobs  chan *fetch
	ahead [][fetchAhead]fetch // by worker
	arena *offheap.Arena
	ended sync.WaitGroup
}

// newFetchCrew starts the crew of a device with n workers. ENOMEM: no memory for
// their blocks.
func newFetchCrew(l *live, n int) (*fetchCrew, error) {
	const each = 2 * PageSize // a block and what sealing uses behind it
	size := uint64(n * fetchAhead * each)
	arena, err := offheap.New(offheap.Scratch, size, each)
	if err != nil {
		return nil, err
	}
	if err := arena.PopulateData(0, size); err != nil {
		arena.Close()
		return nil, err
	}
	c := &fetchCrew{jobs: make(chan *fetch, n*fetchAhead), ahead: make([][fetchAhead]fetch, n), arena: arena}
	rest := arena.Data()
	for i := range c.ahead {
		for k := range c.ahead[i] {
			f := &c.ahead[i][k]
			f.done = make(chan struct{}, 1)
			f.scratch.waiter = park.NewWaiter()
			f.scratch.block, rest = rest[:PageSize+sealOverhead], rest[each:]
		}
	}
	for range fetchers {
		c.ended.Go(func() {
			for f := range c.jobs {
				f.run(l)
				lockdep.AssertNoneHeld(lockdep.Settings)
				f.done <- struct{}{}
			}
		})
	}
	return c, nil
}

func (c *fetchCrew) close() {
	if c == nil {
		return
	}
	close(c.jobs)
	c.ended.Wait()
	c.arena.Close()
}

// memory is what the blocks' buffers take, in bytes.
func (c *fetchCrew) memory() uint64 {
	if c == nil {
		return 0
	}
	return c.arena.Resident()
}

// run reads the block of the fetch's slot, if it has one.
func (f *fetch) run(l *live) {
	l.table.rlock(f.slot, f.scratch.waiter)
	defer l.table.runlock(f.slot)
	f.e = entry(l.table.slots[f.slot].word.Load())
	if f.e.kind() == kindBlock {
		f.block, f.err = l.backing.read(&f.scratch, f.e.block())
		l.table.access(f.slot, f.scratch.now)
	}
}

// readAhead reads pages of one request, [first, end), with fetches under way for
// those to come.
type readAhead struct {
	*live
	s          *Scratch
	next, last uint64 // the page to look at next, and the end
	ring       *[fetchAhead]fetch
}

// newReadAhead begins with the slots of a request. Without backing device, or
// for a page alone, it fetches nothing.
func (l *live) newReadAhead(s *Scratch, first, end uint64) (r readAhead) {
	r = readAhead{live: l, s: s, next: first, last: end}
	if l.fetch == nil || s.id >= len(l.fetch.ahead) || end-first < 2 {
		r.last = first
		return r
	}
	r.ring = &l.fetch.ahead[s.id]
	return r
}

// place is where the fetch of a slot is, if any: slots of a request follow each
// other.
func (r *readAhead) place(i uint64) *fetch { return &r.ring[i%fetchAhead] }

// ahead starts fetches for the pages from i on.
func (r *readAhead) ahead(i uint64) {
	for ; r.next < min(r.last, i+fetchAhead); r.next++ {
		if f := r.place(r.next); r.table.load(r.next).kind() == kindBlock {
			f.slot, f.started, f.scratch.now = r.next, true, r.s.now
			r.fetch.jobs <- f
		}
	}
}

// page fills page with slot i's contents, by what was fetched if that is a
// block.
func (r *readAhead) page(i uint64, page []byte) error {
	if r.ring == nil {
		return r.readPage(r.s, i, page)
	}
	r.ahead(i)
	f := r.place(i)
	if !f.started {
		return r.readPage(r.s, i, page)
	}
	<-f.done
	f.started = false
	if f.e.kind() != kindBlock { // it was used meanwhile
		return r.readPage(r.s, i, page)
	}
	return r.unpack(r.s, i, f.e, page, f.block, f.err)
}

// end waits for fetches that nobody came to, because a page before failed.
func (r *readAhead) end() {
	if r.ring == nil {
		return
	}
	for k := range r.ring {
		if f := &r.ring[k]; f.started {
			<-f.done
			f.started = false
		}
	}
}
