package soak

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// never is the end of what still runs.
const never = math.MaxInt64

// record is one write of a page, from before its call to after it.
type record struct {
	gen        generation
	span       uint16 // cells that it wrote, all at one moment
	left       uint16 // those of them where some read may still find it
	stored     bool   // it took effect: what had ended before it began is gone
	begin, end int64
}

// pageShadow is what the reads of a page may find. No records mean zeros.
type pageShadow struct {
	mu      sync.Mutex
	records []record
}

var fresh = record{span: allCells, left: allCells, stored: true}

// begin notes a write that is about to be made.
func (p *pageShadow) begin(gen generation, span uint16, now, oldest int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.records) == 0 {
		p.records = append(p.records, fresh)
	}
	p.forget(oldest)
	p.records = append(p.records, record{gen: gen, span: span, left: span, begin: now, end: never})
}

// forget drops what no read can find that begins at oldest or later.
func (p *pageShadow) forget(oldest int64) {
	for _, w := range p.records {
		if !w.stored || w.end >= oldest {
			continue
		}
		for i := range p.records {
			if r := &p.records[i]; r.end < w.begin {
				r.left &^= w.span
			}
		}
	}
	p.records = slices.DeleteFunc(p.records, func(r record) bool { return r.left == 0 })
}

// outcome is how a write ended.
type outcome int

const (
	stored outcome = iota
	refused
	unknown // it failed, but may have been made
)

// ended notes how a write that began has ended.
func (p *pageShadow) ended(gen generation, how outcome, now int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.records, func(r record) bool { return r.gen == gen })
	if how == refused {
		p.records = slices.Delete(p.records, i, i+1)
		return
	}
	p.records[i].end, p.records[i].stored = now, how == stored
}

// copied appends the page's records to list.
func (p *pageShadow) copied(list []record) []record {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.records) == 0 {
		return append(list, fresh)
	}
	return append(list, p.records...)
}

// readable reports whether a read from begin to end may find record i in a cell.
func readable(list []record, i, cell int, begin, end int64) bool {
	r, bit := &list[i], uint16(1)<<cell
	if r.left&bit == 0 || r.begin > end {
		return false
	}
	for j := range list {
		if w := &list[j]; w.stored && w.span&bit != 0 && r.end < w.begin && w.end < begin {
			return false
		}
	}
	return true
}

// view is one read of a part of a page: got is what it found at from.
type view struct {
	version    // of no generation
	from       int
	got        []byte
	begin, end int64
}

// judge holds a read against the records of its page, taken after it.
func (v *view) judge(list []record) error {
	var found [cellsPerPage]int
	for cell := range found {
		found[cell] = -1
		from, to := max(v.from, cell*cellBytes), min(v.from+len(v.got), (cell+1)*cellBytes)
		if from >= to {
			continue
		}
		i, err := v.find(list, cell, from-cell*cellBytes, v.got[from-v.from:to-v.from])
		if err != nil {
			return err
		}
		found[cell] = i
	}
	return v.whole(list, &found)
}

// find is the one record that a cell can be of, or -1 if there are several.
func (v *view) find(list []record, cell, from int, got []byte) (int, error) {
	at, stale := -1, -1
	for i := range list {
		candidate := v.version
		candidate.gen = list[i].gen
		if list[i].span>>cell&1 == 0 || !candidate.holds(cell, from, got) {
			continue
		}
		if !readable(list, i, cell, v.begin, v.end) {
			stale = i
		} else if at >= 0 {
			return -1, nil
		} else {
			at = i
		}
	}
	if at >= 0 {
		return at, nil
	}
	what := "none of it: " + describe(got)
	if stale >= 0 {
		what = fmt.Sprintf("%v, stale: %+v", list[stale].gen, list[stale])
	}
	var may []record
	for i := range list {
		if readable(list, i, cell, v.begin, v.end) {
			may = append(may, list[i])
		}
	}
	return 0, fmt.Errorf("page %d, cell %d, read from %d to %d, may be of %+v, but is of %s", v.page, cell, v.begin, v.end, may, what)
}

// whole reports a page that shows two writes of which each should have covered
// the other.
func (v *view) whole(list []record, found *[cellsPerPage]int) error {
	for a, i := range found {
		for b, j := range found {
			if i < 0 || j < 0 || i == j {
				continue
			}
			if list[i].span>>b&1 != 0 && list[j].span>>a&1 != 0 {
				return fmt.Errorf("page %d is torn: cell %d has %v, cell %d has %v", v.page, a, list[i].gen, b, list[j].gen)
			}
		}
	}
	return nil
}
