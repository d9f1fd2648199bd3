package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"uzram/store"
	"uzram/test/bench/internal/directio"
)

const (
	pageSize = store.PageSize
	numberAt = pageSize - 8 // where a page has its number
	// requestBytes is what is read at a time where all is read, as the kernel's
	// read-ahead does.
	requestBytes = 128 << 10
)

// content is what is on every disk: the corpus over and over, and in each page
// that is not same-filled its number, so that no two are alike.
type content struct {
	data []byte
	same []bool // by page of data
}

func newContent(data []byte) *content {
	c := &content{data: data, same: make([]bool, len(data)/pageSize)}
	for i := range c.same {
		page := data[i*pageSize:][:pageSize]
		c.same[i] = string(page[8:]) == string(page[:pageSize-8])
	}
	return c
}

// put fills p with page i and those behind it.
func (c *content) put(p []byte, i int) {
	for ; len(p) >= pageSize; p, i = p[pageSize:], i+1 {
		k := i % len(c.same)
		copy(p[:pageSize], c.data[k*pageSize:])
		if !c.same[k] {
			binary.LittleEndian.PutUint64(p[numberAt:], uint64(i))
		}
	}
}

// is reports whether p is page i and those behind it.
func (c *content) is(p []byte, i int) bool {
	for ; len(p) >= pageSize; p, i = p[pageSize:], i+1 {
		k := i % len(c.same)
		want := c.data[k*pageSize:][:pageSize]
		if string(p[:numberAt]) != string(want[:numberAt]) {
			return false
		}
		number := binary.LittleEndian.Uint64(p[numberAt:])
		if !c.same[k] && number != uint64(i) || c.same[k] && number != binary.LittleEndian.Uint64(want[numberAt:]) {
			return false
		}
	}
	return true
}

// objects is how many of the pages [from, to) are not same-filled.
func (c *content) objects(from, to int) (n int) {
	for i := from; i < to; i++ {
		if !c.same[i%len(c.same)] {
			n++
		}
	}
	return n
}

// disk is a device in process with the content on it.
type disk struct {
	*content
	device  *store.Device
	scratch *store.Scratch
	pages   int
	buf     []byte // of directio.Chunk
}

// newDisk sets up a device of so many pages; choose makes its settings.
func (c *content) newDisk(pages int, buf []byte, choose func(*store.Device) error) (*disk, error) {
	crew, err := store.NewWorkers(1)
	if err != nil {
		return nil, err
	}
	d := &disk{content: c, device: store.NewDevice(crew), scratch: crew.Scratch(0), pages: pages, buf: buf}
	if err := choose(d.device); err != nil {
		return nil, err
	}
	if err := d.device.SetDisksize(uint64(pages) * pageSize); err != nil {
		return nil, err
	}
	return d, nil
}

// fill writes pages [from, to).
func (d *disk) fill(from, to int) error {
	return directio.Each(int64(to-from)*pageSize, func(off int64, n int) (int, error) {
		first := from + int(off/pageSize)
		d.put(d.buf[:n], first)
		return d.device.WriteAt(d.scratch, d.buf[:n], int64(first)*pageSize)
	})
}

// check reads pages [from, to) and compares them. It returns how long reading
// took.
func (d *disk) check(from, to int) (took time.Duration, err error) {
	for i := from; i < to; i += requestBytes / pageSize {
		p := d.buf[:min(requestBytes, (to-i)*pageSize)]
		start := time.Now()
		n, err := d.device.ReadAt(d.scratch, p, int64(i)*pageSize)
		took += time.Since(start)
		switch {
		case err != nil:
			return 0, fmt.Errorf("read %d bytes at page %d: %w", len(p), i, err)
		case n != len(p):
			return 0, fmt.Errorf("read %d bytes at page %d: %w", len(p), i, io.ErrUnexpectedEOF)
		case !d.is(p, i):
			return 0, fmt.Errorf("read %d bytes at page %d: they are not what was written", len(p), i)
		}
	}
	return took, nil
}
