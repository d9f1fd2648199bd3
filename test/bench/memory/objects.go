package main

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"uzram/alloc"
	"uzram/compress"
)

// objects is how many objects of each size a store has.
type objects struct {
	count [alloc.PageSize + 1]int // by bytes; those of a page are huge
	bytes int
}

// sizesOf is the size in bytes of the object of each page of data: 0 for a
// same-filled page, PageSize for one that is stored raw.
func sizesOf(data []byte, algorithm string) ([]int, error) {
	codec, ok := compress.Lookup(algorithm)
	if !ok {
		return nil, fmt.Errorf("no algorithm %q", algorithm)
	}
	stream, err := codec.NewStream(compress.Params{})
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	dst := make([]byte, compress.DstSize(alloc.PageSize))
	sizes := make([]int, 0, len(data)/alloc.PageSize)
	for off := 0; off < len(data); off += alloc.PageSize {
		page := data[off:][:alloc.PageSize]
		if string(page[8:]) == string(page[:len(page)-8]) {
			sizes = append(sizes, 0)
			continue
		}
		n, err := stream.Compress(dst, page)
		if errors.Is(err, compress.ErrIncompressible) || err == nil && n >= alloc.HugeThreshold {
			n = alloc.PageSize
		} else if err != nil {
			return nil, fmt.Errorf("page %d: %w", off/alloc.PageSize, err)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}

// draw is a store of n pages: the corpus as often as it fits, and a random part
// of it for the rest, for which alone random is needed.
func draw(sizes []int, n int, random *rand.Rand) *objects {
	var o objects
	if whole := n / len(sizes); whole > 0 {
		for _, size := range sizes {
			o.add(size, whole)
		}
	}
	if rest := n % len(sizes); rest > 0 {
		for _, i := range random.Perm(len(sizes))[:rest] {
			o.add(sizes[i], 1)
		}
	}
	return &o
}

func (o *objects) add(size, n int) {
	if size > 0 {
		o.count[size] += n
		o.bytes += size * n
	}
}
