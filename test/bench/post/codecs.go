package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"uzram/alloc"
	"uzram/compress"
)

// codecs does by itself what recompression asks of the codecs, on the same
// objects in a run's order.
type codecs struct {
	threads []*codecThread
	objects [][]byte // largest first; a page itself where the disk keeps that
}

type codecThread struct {
	reader, writer compress.Stream
	page, dst      []byte
}

// newCodecs makes the objects of pages [0, pages), and what a thread for each of
// a crew needs.
func newCodecs(content *content, pages int) (c *codecs, err error) {
	c = &codecs{}
	for range min(runtime.NumCPU(), maxCrew) {
		t := &codecThread{page: make([]byte, pageSize), dst: make([]byte, compress.DstSize(pageSize))}
		c.threads = append(c.threads, t)
		if t.reader, err = open(primary); err != nil {
			return nil, errors.Join(err, c.close())
		}
		if t.writer, err = open(secondary); err != nil {
			return nil, errors.Join(err, c.close())
		}
	}
	t := c.threads[0]
	for i := range pages {
		if content.same[i%len(content.same)] {
			continue
		}
		content.put(t.page, i)
		object := t.page
		n, err := t.reader.Compress(t.dst, t.page)
		switch {
		case err == nil && n < alloc.HugeThreshold:
			object = t.dst[:n]
		case err != nil && !errors.Is(err, compress.ErrIncompressible):
			return nil, errors.Join(fmt.Errorf("page %d: %w", i, err), c.close())
		}
		c.objects = append(c.objects, slices.Clone(object))
	}
	slices.SortStableFunc(c.objects, func(a, b []byte) int { return len(b) - len(a) })
	return c, nil
}

func open(name string) (compress.Stream, error) {
	codec, ok := compress.Lookup(name)
	if !ok {
		return nil, fmt.Errorf("no algorithm %q", name)
	}
	return codec.NewStream(compress.Params{})
}

// all goes over all objects once, on so many threads.
func (c *codecs) all(threads int) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, threads)
	for k, t := range c.threads[:threads] {
		wg.Go(func() {
			for errs[k] == nil {
				to := int(next.Add(objectsPerShare))
				if to-objectsPerShare >= len(c.objects) {
					return
				}
				errs[k] = t.some(c.objects[to-objectsPerShare : min(to, len(c.objects))])
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// objectsPerShare is what a thread takes at a time, as a run's workers do.
const objectsPerShare = 8

func (t *codecThread) some(objects [][]byte) error {
	for _, object := range objects {
		page := object
		if len(object) < pageSize {
			if err := t.reader.Decompress(t.page, object); err != nil {
				return err
			}
			page = t.page
		}
		if _, err := t.writer.Compress(t.dst, page); err != nil && !errors.Is(err, compress.ErrIncompressible) {
			return err
		}
	}
	return nil
}

func (c *codecs) close() error {
	var all []error
	for _, t := range c.threads {
		for _, s := range []compress.Stream{t.reader, t.writer} {
			if s != nil {
				all = append(all, s.Close())
			}
		}
	}
	return errors.Join(all...)
}
