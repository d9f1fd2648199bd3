package soak

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"

	"uzram/store"
)

// longest is the length of the longest request in bytes.
const longest = 1 << 20

// worker makes requests, on one disk after another.
type worker struct {
	*soak
	id      int
	scratch *store.Scratch
	io      *actor
	rng     *rand.Rand
	count   uint64 // generations made
	buf     []byte
	list    []record

	// Of the present request.
	disk     *disk
	life     *life
	begin    int64
	failures uint64 // of the disk's codecs before it
}

func (s *soak) newWorker(id int) *worker {
	return &worker{
		soak: s, id: id, scratch: s.crew.Scratch(id), io: s.newActor(fmt.Sprintf("worker %d", id)),
		rng: s.rand(uint64(id)), buf: make([]byte, longest),
	}
}

// run makes requests in sessions, between an open and a close of the image.
func (w *worker) run() {
	for !w.done.Load() {
		d := w.soak.disks[w.rng.IntN(disks)]
		if !w.open(d) {
			time.Sleep(100 * time.Microsecond)
			continue
		}
		for n := w.rng.IntN(100); n >= 0 && !d.closed.Load() && !w.done.Load(); n-- {
			op := pick(w.rng, requests[:], func(r request) int { return r.weight })
			w.enterDisk(d)
			requests[op].do(w)
			w.io.leave()
			w.counts.requests[op].Add(1)
			runtime.Gosched() // with many to each CPU, turns would be long
		}
		d.close()
	}
}

func (w *worker) open(d *disk) bool {
	begin, l := w.now(), d.life.Load()
	err := d.open()
	if err == nil {
		return true
	}
	if err != errClosed {
		w.counts.openBusy.Add(1)
		if !errors.Is(err, store.ErrResetting) || !l.ending.touched(begin) {
			w.fail("%s: open: %v", d.name, err)
		}
	}
	return false
}

// enterDisk begins a request. What is loaded after it is seen as under way stays
// as it is until leave.
func (w *worker) enterDisk(d *disk) {
	w.begin = w.enter(w.io)
	w.disk, w.life, w.failures = d, d.life.Load(), d.failures()
}

// pick draws an index by weight.
func pick[T any](r *rand.Rand, rows []T, weight func(T) int) int {
	sum := 0
	for _, row := range rows {
		sum += weight(row)
	}
	n := r.IntN(sum)
	for i, row := range rows {
		if n -= weight(row); n < 0 {
			return i
		}
	}
	panic("no weights")
}

func (w *worker) generation(data bool) generation {
	w.count++
	return newGeneration(w.id, w.count, data)
}

// part is what a request touches of one page: bytes [from, to) of it, which are
// those from at on of the request.
type part struct {
	page         uint64
	from, to, at int
}

// span is the part as cells.
func (p part) span() uint16 {
	return uint16(allCells >> (cellsPerPage - (p.to-p.from)/cellBytes) << (p.from / cellBytes))
}

func parts(off int64, n int) iter.Seq[part] {
	return func(yield func(part) bool) {
		for at := 0; at < n; {
			from := int((off + int64(at)) % store.PageSize)
			p := part{uint64(off+int64(at)) / store.PageSize, from, min(store.PageSize, from+n-at), at}
			if !yield(p) {
				return
			}
			at += p.to - p.from
		}
	}
}

// refusal judges an error of a request, of which n bytes were done.
func (w *worker) refusal(what string, n int, err error) {
	var errno syscall.Errno
	errors.As(err, &errno)
	ok, kind := false, otherError
	switch {
	case errors.Is(err, store.ErrBacking): // nobody makes it fail
	case errors.Is(err, store.ErrPastEnd):
		ok, kind = n == 0 && w.missing(), notSetUp
	case errors.Is(err, store.ErrMemLimit):
		ok, kind = w.disk.limited.touched(w.begin), memLimit
	case errors.Is(err, store.ErrCodec), errors.Is(err, store.ErrCorruptPage):
		ok, kind = w.disk.failures() != w.failures, codecFailed
	case errno == syscall.EIO:
		ok, kind = w.shortage.touched(w.begin), noMemory
	}
	w.counts.errors[kind].Add(1)
	if !ok {
		w.fail("%s: %s by worker %d: %d, %v", w.disk.name, what, w.id, n, err)
	}
}

// missing notes that the disk looked as if it were not set up, and reports
// whether that may be.
func (w *worker) missing() bool {
	if began := w.life.began.Load(); began != 0 && began < w.begin {
		w.life.gone.Add(1)
	}
	return !w.life.steady(w.begin)
}
