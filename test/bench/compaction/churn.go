package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"uzram/store"
	"uzram/test/bench/internal/directio"
)

const pageSize = store.PageSize

// disk is what is measured, in whole pages of page-aligned memory.
type disk interface {
	io.ReaderAt
	io.WriterAt
	discard(off, n int64) error
	compact() error
	compacted() (pages uint64, err error) // given back by compaction so far
}

// churner reads, writes and frees random pages of a disk, and knows what is on
// it. One goroutine at a time.
type churner struct {
	disk   disk
	data   []byte // pages to write
	page   []byte // read into
	random *rand.Rand
	at     []int32 // for each page of the disk the page of data on it; -1 = empty
	empty  []int32 // pages that were freed, a ring
	oldest int     // of empty
}

var zeros = make([]byte, pageSize)

// newChurner fills the disk and frees a share of it.
func newChurner(d disk, data []byte, size int64, percent int, seed uint64) (*churner, error) {
	page, err := directio.Alloc(pageSize)
	if err != nil {
		return nil, err
	}
	pages := int(size / pageSize)
	c := &churner{disk: d, data: data, page: page, random: rand.New(rand.NewPCG(seed, 0)), at: make([]int32, pages)}
	if err := directio.Fill(d, data, size); err != nil {
		return nil, err
	}
	for i := range c.at {
		c.at[i] = int32(i % (len(data) / pageSize))
	}
	for range max(1, pages*percent/100) {
		i, err := c.free()
		if err != nil {
			return nil, err
		}
		c.empty = append(c.empty, i)
	}
	return c, nil
}

// step reads one page and writes one, whose times it returns, and churns: one
// page is freed and the one that was freed first is written again.
func (c *churner) step() (read, write time.Duration, err error) {
	i := c.random.IntN(len(c.at))
	start := time.Now()
	n, err := c.disk.ReadAt(c.page, int64(i)*pageSize)
	read = time.Since(start)
	if err == nil && string(c.page[:n]) != string(c.want(i)) {
		err = fmt.Errorf("it is not what was written")
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read page %d: %w", i, err)
	}
	if write, err = c.write(c.random.IntN(len(c.at))); err != nil {
		return 0, 0, err
	}
	freed, err := c.free()
	if err != nil {
		return 0, 0, err
	}
	again := c.empty[c.oldest]
	c.empty[c.oldest] = freed
	c.oldest = (c.oldest + 1) % len(c.empty)
	_, err = c.write(int(again))
	return read, write, err
}

// want is what page i of the disk holds.
func (c *churner) want(i int) []byte {
	if c.at[i] < 0 {
		return zeros
	}
	return c.data[int(c.at[i])*pageSize:][:pageSize]
}

// write puts a random page of data on page i.
func (c *churner) write(i int) (time.Duration, error) {
	c.at[i] = int32(c.random.IntN(len(c.data) / pageSize))
	page := c.want(i)
	start := time.Now()
	n, err := c.disk.WriteAt(page, int64(i)*pageSize)
	took := time.Since(start)
	if err == nil && n != pageSize {
		err = io.ErrShortWrite
	}
	if err != nil {
		return 0, fmt.Errorf("write page %d: %w", i, err)
	}
	return took, nil
}

// free empties a random page that is not.
func (c *churner) free() (int32, error) {
	i := c.random.IntN(len(c.at))
	for c.at[i] < 0 {
		i = c.random.IntN(len(c.at))
	}
	c.at[i] = -1
	if err := c.disk.discard(int64(i)*pageSize, pageSize); err != nil {
		return 0, fmt.Errorf("free page %d: %w", i, err)
	}
	return int32(i), nil
}

// check reads the whole disk.
func (c *churner) check() error {
	for i := range c.at {
		n, err := c.disk.ReadAt(c.page, int64(i)*pageSize)
		if err == nil && string(c.page[:n]) != string(c.want(i)) {
			err = fmt.Errorf("it is not what was written")
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", i, err)
		}
	}
	return nil
}
