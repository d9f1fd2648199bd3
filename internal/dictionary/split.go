package dictionary

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

const (
	regionPages = 16 // neighbours, which are often alike, go the same way
	heldOneIn   = 5
)

// Split is a sample taken apart: no page of the one part lies near a page of the other, and none is a copy of any.
type Split struct {
	Trained, Held [][]byte
	Copies        int // pages left out because they are copies
}

// region is a run of neighbouring pages.
type region struct {
	source int
	number uint64
}

func (p *Page) region() region { return region{p.Source, p.Index / regionPages} }

// Split holds out a fifth of the regions, chosen by a hash of where they are.
func (s *Sample) Split() Split {
	held := heldRegions(s.Pages)
	var out Split
	seen := make(map[[sha256.Size]byte]bool, len(s.Pages))
	part := func(hold bool) (pages [][]byte) {
		for i := range s.Pages {
			p := &s.Pages[i]
			if held[p.region()] != hold {
				continue
			}
			sum := sha256.Sum256(p.Data)
			if seen[sum] {
				out.Copies++
				continue
			}
			seen[sum] = true
			pages = append(pages, p.Data)
		}
		return pages
	}
	out.Trained = part(false)
	out.Held = part(true)
	return out
}

// heldRegions chooses by rank, so that a few regions are divided as evenly as many.
func heldRegions(pages []Page) map[region]bool {
	type ranked struct {
		region
		rank uint64
	}
	known := make(map[region]bool)
	var all []ranked
	for i := range pages {
		r := pages[i].region()
		if !known[r] {
			known[r] = true
			all = append(all, ranked{r, r.hash()})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	held := make(map[region]bool)
	for _, r := range all[:(len(all)+heldOneIn-1)/heldOneIn] {
		held[r.region] = true
	}
	return held
}

func (r region) hash() uint64 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(r.source))
	binary.LittleEndian.PutUint64(b[8:], r.number)
	sum := sha256.Sum256(b[:])
	return binary.LittleEndian.Uint64(sum[:])
}
