package store

import (
	"fmt"

	"uzram/alloc"
)

// recompressRequests are what opRecompress chooses from. They bound no number of
// pages: which ones a bounded run takes is not for a shadow to say.
var recompressRequests = []RecompressRequest{
	{}, {Idle: true}, {Huge: true}, {Idle: true, Huge: true}, {Threshold: 2000}, {Threshold: 3000, Idle: true},
	{Priority: 2, HasPriority: true},
}

func (t *trial) recompress(o op) error {
	r, sh := recompressRequests[o.n%len(recompressRequests)], t.shadow
	priority := max(1, r.Priority)
	got, err := t.dev.Recompress(r)
	if sh.disk == nil || priority >= len(t.sizes) {
		if err == nil {
			return fmt.Errorf("recompressed to priority %d of a device that cannot: %+v", priority, got)
		}
		return nil
	}
	if t.rate > 0 || t.short {
		return t.adopt(r, priority)
	}
	if err != nil {
		return err
	}
	var want RecompressResult
	for i := range sh.pages {
		p := &sh.pages[i]
		if p.selected(r, priority) {
			was := p.size
			*p = sh.recompressed(i, r, priority)
			want.Tried++
			if p.priority == priority {
				want.Replaced++
				want.Saved += uint64(was - p.size)
			} else {
				want.Kept++
			}
			if p.incompressible {
				want.Incompressible++
			}
		}
	}
	if got != want {
		return fmt.Errorf("%+v did %+v, want %+v", r, got, want)
	}
	return nil
}

func (p shadowPage) selected(r RecompressRequest, priority int) bool {
	return p.kind == kindObject && p.priority < priority && !p.incompressible && p.size >= r.Threshold &&
		(!r.Idle || p.idle) && (!r.Huge || p.size == PageSize)
}

// recompressed is what page i becomes when it is tried.
func (sh *shadow) recompressed(i int, r RecompressRequest, priority int) shadowPage {
	p := sh.pages[i]
	p.idle = false
	n := sh.sizes.of(priority, sh.page(i))
	if alloc.ClassIndex(n) < alloc.ClassIndex(p.size) && (r.Threshold == 0 || n < r.Threshold) {
		p.size, p.priority = n, priority
	} else {
		p.incompressible = priority == len(sh.sizes)-1
	}
	return p
}

// adopt follows a run of which any page may have failed: each is as it was, but
// perhaps no longer idle, or as it had to become.
func (t *trial) adopt(r RecompressRequest, priority int) error {
	table := t.dev.live.Load().table
	for i := range t.shadow.pages {
		p := &t.shadow.pages[i]
		if !p.selected(r, priority) {
			continue
		}
		if e := table.load(uint64(i)); e.priority() == priority || e.incompressible() {
			*p = t.shadow.recompressed(i, r, priority)
		} else if table.slots[i].aux.Load()&idleMark == 0 {
			p.idle = false
		}
	}
	return nil
}
