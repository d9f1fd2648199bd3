package main

import (
	"bytes"
	"fmt"
	"runtime"

	"uzram/test/bench/internal/report"
)

// coder does one page.
type coder interface {
	Compress(dst, page []byte) (int, error)
	Decompress(page, src []byte) error
}

// batch does pages of equal size that lie one behind the other, their streams
// each in an equal share of out: one call into C.
type batch interface {
	CompressAll(out []byte, length []uint64, pages []byte) error
	DecompressAll(page, out []byte, length []uint64) error
}

// peer is a codec of C's.
type peer interface {
	coder
	batch
	MemoryUsage() int
	Close() error
}

// pageByPage does in a loop what C does in one call.
type pageByPage struct{ coder }

func (c pageByPage) CompressAll(out []byte, length []uint64, pages []byte) error {
	slot, size := len(out)/len(length), len(pages)/len(length)
	for i := range length {
		n, err := c.Compress(out[i*slot:(i+1)*slot], pages[i*size:(i+1)*size])
		if err != nil {
			return err
		}
		length[i] = uint64(n)
	}
	return nil
}

func (c pageByPage) DecompressAll(page, out []byte, length []uint64) error {
	slot := len(out) / len(length)
	for i, n := range length {
		if err := c.Decompress(page, out[i*slot:i*slot+int(n)]); err != nil {
			return err
		}
	}
	return nil
}

// side is one codec and what became of the pages.
type side struct {
	name string // "uzram", "C" or that of a library
	coder
	batch
	*set
	out    []byte // compressed pages, each at its own place; others use it between rounds
	length []uint64
	memory int // of a stream, bytes; 0 if not known

	compress, decompress report.Series // MB/s of uncompressed data, one a round
}

// packed is the compressed page i.
func (s *side) packed(i int) []byte { return s.out[i*s.slot():][:s.length[i]] }

// pack compresses the pages from i to j.
func (s *side) pack(i, j int) error {
	return s.CompressAll(s.out[i*s.slot():j*s.slot()], s.length[i:j], s.pages[i*s.size:j*s.size])
}

// unpack decompresses the pages from i to j, all to one place.
func (s *side) unpack(i, j int) error {
	return s.DecompressAll(s.back, s.out[i*s.slot():j*s.slot()], s.length[i:j])
}

// ratio is uncompressed over compressed size. A page that did not get smaller
// counts in full, since it is stored as it is.
func (s *side) ratio() float64 {
	stored := 0
	for _, n := range s.length {
		stored += min(int(n), s.size)
	}
	return float64(len(s.pages)) / float64(stored)
}

// readBy has a decoder read all that this side wrote.
func (s *side) readBy(d coder) error {
	for i := range s.length {
		if err := d.Decompress(s.back, s.packed(i)); err != nil || !bytes.Equal(s.back, s.page(i)) {
			return fmt.Errorf("page %d came back different (%v)", i, err)
		}
	}
	return nil
}

// allocations is how often memory was allocated per page, both ways together:
// the least of some passes over all pages, for the runtime allocates as well.
func (s *side) allocations() (float64, error) {
	dst := s.out[:s.slot()]
	least := 0.0
	for pass := range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for i := range s.len() {
			n, err := s.Compress(dst, s.page(i))
			if err != nil {
				return 0, err
			}
			if err := s.Decompress(s.back, dst[:n]); err != nil {
				return 0, err
			}
		}
		runtime.ReadMemStats(&after)
		if n := float64(after.Mallocs-before.Mallocs) / float64(s.len()); pass == 0 || n < least {
			least = n
		}
	}
	return least, nil
}
