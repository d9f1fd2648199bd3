package dictionary

import "bytes"

// MaxSample is the largest number of pages in a sample: 64 MiB.
const MaxSample = 16384

// spare is how many pages are looked at for each one wanted, where it is not known which hold data.
const spare = 4

// Sample is a number of pages taken evenly from all that hold data.
type Sample struct {
	Pages []Page
	Found int // pages that hold data, or may hold data where that was not known beforehand
	Idle  int // pages read that had the idle mark
}

// Page is a page's content and where it was found.
type Page struct {
	Source int // which of the sources
	Index  uint64
	Data   []byte
}

// spot is a place in one of the sources.
type spot struct {
	source int
	Place
}

// Take takes want pages from all sources together, fewer if there are not as many. Same-filled pages are left out, and
// with spareIdle those that have the idle mark.
func Take(sources []Source, want int, spareIdle bool) (*Sample, error) {
	places := newThin[spot](spare * want)
	for i, s := range sources {
		err := s.Walk(func(p Place) {
			if !p.Idle || !spareIdle {
				places.add(spot{i, p})
			}
		})
		if err != nil {
			return nil, err
		}
	}
	used, err := withData(sources, places.kept)
	if err != nil {
		return nil, err
	}
	used = evenly(used, want)
	s := &Sample{Found: places.seen, Pages: make([]Page, 0, len(used))}
	memory := make([]byte, len(used)*pageSize)
	for i, u := range used {
		data := memory[i*pageSize:][:pageSize:pageSize]
		if _, err := sources[u.source].ReadAt(data, int64(u.Index)*pageSize); err != nil {
			return nil, err
		}
		if u.Idle {
			s.Idle++
		}
		if !sameFilled(data) { // it may have changed since it was listed
			s.Pages = append(s.Pages, Page{u.source, u.Index, data})
		}
	}
	return s, nil
}

// withData reads the pages of which it is not known whether they hold data and leaves the same-filled ones out.
func withData(sources []Source, places []spot) (used []spot, err error) {
	page := make([]byte, pageSize)
	for _, p := range places {
		if !p.Used {
			if _, err := sources[p.source].ReadAt(page, int64(p.Index)*pageSize); err != nil {
				return nil, err
			}
			if sameFilled(page) {
				continue
			}
		}
		used = append(used, p)
	}
	return used, nil
}

// sameFilled is the device's rule: all 8-byte words are equal.
func sameFilled(page []byte) bool { return bytes.Equal(page[8:], page[:len(page)-8]) }
