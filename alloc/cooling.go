package alloc

import (
	"slices"

	"uzram/internal/failpoint"
)

// A run that no stock wants cools for a while: giving memory back costs much for
// each call and little for each page, and runs that are freed one after the
// other are often neighbours. What cools can be had like a warm run.
const (
	coolRuns  = 256 // cool at most, and as many may be on their way back
	coolPages = 512 // the same in pages
)

// cooling is runs on their way back to the system. Guarded by runs.mu but for
// order, which belongs to who gives runs back.
type cooling struct {
	runs  []uint32 // first pages
	pages int      // of runs
	back  []uint32 // are being given back; empty when nobody does that
	order []uint32
}

func (c *cooling) init() {
	for _, list := range []*[]uint32{&c.runs, &c.back, &c.order} {
		*list = make([]uint32, 0, coolRuns)
	}
}

// add takes a run of n pages in; false if there is no room.
func (c *cooling) add(page uint32, n int) bool {
	if len(c.runs) == coolRuns || c.pages+n > coolPages {
		return false
	}
	c.runs = append(c.runs, page)
	c.pages += n
	return true
}

// many reports whether giving back pays.
func (c *cooling) many() bool { return len(c.runs) >= coolRuns/2 || c.pages >= coolPages/2 }

// takeCool is a run of n pages that cools, with mu held; 0 = none.
func (r *runs) takeCool(n int) uint32 {
	c := &r.cooling
	for i := len(c.runs) - 1; i >= 0; i-- {
		if page := c.runs[i]; r.length(page) == n {
			last := len(c.runs) - 1
			c.runs[i] = c.runs[last]
			c.runs = c.runs[:last]
			c.pages -= n
			return page
		}
	}
	return 0
}

// length is the pages of a run in use.
func (r *runs) length(page uint32) int { return int(r.frames[page/framePages].chain) }

// giveCooled gives back what cools, neighbours in one call. false: there is
// nothing, or somebody is at it.
func (r *runs) giveCooled() bool {
	c := &r.cooling
	r.mu.Lock()
	if len(c.back) > 0 || len(c.runs) == 0 {
		r.mu.Unlock()
		return false
	}
	c.runs, c.back, c.pages = c.back, c.runs, 0
	c.order = append(c.order[:0], c.back...)
	r.mu.Unlock()

	slices.Sort(c.order)
	for from := 0; from < len(c.order); {
		to := from + 1
		for to < len(c.order) && r.behind(c.order[to-1]) == c.order[to] {
			to++
		}
		last := c.order[to-1]
		r.punch(c.order[from], int(last-c.order[from])+r.length(last))
		from = to
	}
	failpoint.Hit(failpoint.PoolPunched)

	r.mu.Lock()
	for _, page := range c.back {
		r.release(page)
	}
	c.back = c.back[:0]
	r.mu.Unlock()
	return true
}

// behind is the first page of the place behind a run in use. The pages that the
// runs of a frame leave over at its end have no memory.
func (r *runs) behind(page uint32) uint32 {
	n := uint32(r.length(page))
	if at := page % framePages; at+2*n > framePages {
		return page - at + framePages
	}
	return page + n
}
