package main

import (
	"bytes"

	"uzram/internal/clib"
)

// set is the pages that everyone is given, and the room for what they make of
// them.
type set struct {
	pages []byte
	size  int      // of a page, bytes
	outs  [][]byte // see out
	back  []byte   // a page that was decompressed
}

// sample takes, of every n-th 64 KiB of data, in which pages are of one kind,
// the pages that are not same-filled.
func sample(data []byte, size, every int) *set {
	const region = 64 << 10
	s := &set{size: size, back: make([]byte, size)}
	for at := 0; at < len(data); at += region * every {
		for p := at; p+size <= min(at+region, len(data)); p += size {
			if page := data[p : p+size]; !bytes.Equal(page[8:], page[:size-8]) {
				s.pages = append(s.pages, page...)
			}
		}
	}
	return s
}

func (s *set) len() int { return len(s.pages) / s.size }

func (s *set) page(i int) []byte { return s.pages[i*s.size:][:s.size] }

// slot is the room in bytes for a compressed page.
func (s *set) slot() int { return clib.Bound(s.size) }

// out is the room for all compressed pages of the k-th side of a contest.
func (s *set) out(k int) []byte {
	for len(s.outs) <= k {
		s.outs = append(s.outs, make([]byte, s.len()*s.slot()))
	}
	return s.outs[k]
}
