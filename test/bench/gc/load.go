package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"uzram/store"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

const pageSize = store.PageSize

// disk is what is under load, in whole pages of page-aligned memory.
type disk interface {
	io.ReaderAt
	io.WriterAt
	collect() error
	pauses() (pauses, error)
}

// pauses is what debug/status says of collections so far.
type pauses struct {
	Cycles uint64 `json:"gc_cycles"`
	Total  uint64 `json:"gc_pause_total_ns"`
	Max    uint64 `json:"gc_pause_max_ns"` // of the last 256
}

// load reads and writes random pages of a disk, as fast as it answers. The readers have the lower half, where every page is
// as it was filled and is compared; the writer has the upper one.
type load struct {
	disk  disk
	data  []byte
	pages int
	seed  uint64
	buf   [][]byte // a page for each reader
	times [][]time.Duration
}

// maxReads bounds what a reader notes of a round.
const maxReads = 1 << 22

func newLoad(ctx context.Context, o options, data []byte, cleanup *undo.Stack, env ...string) (*load, error) {
	d, err := newMount(ctx, o, cleanup, env...)
	if err != nil {
		return nil, err
	}
	return fill(d, o, data)
}

func fill(d disk, o options, data []byte) (*load, error) {
	l := &load{disk: d, data: data, pages: int(o.size / pageSize), seed: o.seed}
	for range o.readers {
		page, err := directio.Alloc(pageSize)
		if err != nil {
			return nil, err
		}
		l.buf = append(l.buf, page)
		l.times = append(l.times, make([]time.Duration, 0, maxReads))
	}
	return l, directio.Fill(d, data, o.size)
}

// want is what was filled in as page i.
func (l *load) want(i int) []byte {
	at := int64(i) * pageSize % (int64(len(l.data)) / directio.Chunk * directio.Chunk)
	return l.data[at:][:pageSize]
}

// run loads the disk for d, with one page at least by each, and returns the times of all reads, and how many pages were
// written.
func (l *load) run(ctx context.Context, d time.Duration) (reads []time.Duration, writes int, err error) {
	var stop atomic.Bool
	timer := time.AfterFunc(d, func() { stop.Store(true) })
	defer timer.Stop()
	var failed atomic.Pointer[error]
	fail := func(err error) {
		if err != nil {
			failed.CompareAndSwap(nil, &err)
			stop.Store(true)
		}
	}
	var group sync.WaitGroup
	for k := range l.buf {
		group.Go(func() { fail(l.read(ctx, k, &stop)) })
	}
	group.Go(func() {
		var err error
		writes, err = l.write(ctx, &stop)
		fail(err)
	})
	group.Wait()
	if err := failed.Load(); err != nil {
		return nil, 0, *err
	}
	for _, t := range l.times {
		reads = append(reads, t...)
	}
	return reads, writes, nil
}

func (l *load) read(ctx context.Context, k int, stop *atomic.Bool) error {
	random := rand.New(rand.NewPCG(l.seed, uint64(k)))
	times, page := l.times[k][:0], l.buf[k]
	for len(times) == 0 || !stop.Load() && ctx.Err() == nil && len(times) < maxReads {
		i := random.IntN(l.pages / 2)
		start := time.Now()
		n, err := l.disk.ReadAt(page, int64(i)*pageSize)
		times = append(times, time.Since(start))
		if err == nil && string(page[:n]) != string(l.want(i)) {
			err = fmt.Errorf("it is not what was written")
		}
		if err != nil {
			return fmt.Errorf("read page %d: %w", i, err)
		}
	}
	l.times[k] = times
	return ctx.Err()
}

func (l *load) write(ctx context.Context, stop *atomic.Bool) (n int, err error) {
	random := rand.New(rand.NewPCG(l.seed, ^uint64(0)))
	for ; n == 0 || !stop.Load() && ctx.Err() == nil; n++ {
		i := l.pages/2 + random.IntN(l.pages-l.pages/2)
		if m, err := l.disk.WriteAt(l.want(random.IntN(l.pages)), int64(i)*pageSize); err != nil || m != pageSize {
			return n, fmt.Errorf("write page %d: %d bytes, %w", i, m, err)
		}
	}
	return n, ctx.Err()
}

// check compares the lower half.
func (l *load) check() error {
	for i := range l.pages / 2 {
		if n, err := l.disk.ReadAt(l.buf[0], int64(i)*pageSize); err != nil || string(l.buf[0][:n]) != string(l.want(i)) {
			return fmt.Errorf("page %d is not what was written (%v)", i, err)
		}
	}
	return nil
}
