package main

import (
	"fmt"
	"runtime"
	"time"

	"uzram/compress"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/stopwatch"
	"uzram/test/bench/internal/undo"
)

// contest is a subject with all sides of it; ours comes first.
type contest struct {
	subject
	sides       []*side
	c           *side   // C's, nil for none
	library     *side   // a Go library's, nil for none
	allocations float64 // of ours, per page
}

// newContest opens all sides. cleanup gets what closes them.
func newContest(sub subject, pages *set, cleanup *undo.Stack) (*contest, error) {
	codec, ok := compress.Lookup(sub.algorithm)
	if !ok {
		return nil, fmt.Errorf("no algorithm %q", sub.algorithm)
	}
	stream, err := codec.NewStream(sub.params)
	if err != nil {
		return nil, err
	}
	cleanup.Push(sub.name, stream.Close)
	c := &contest{subject: sub}
	c.add("uzram", stream, pageByPage{stream}, pages)
	if p := openC(sub); p != nil {
		cleanup.Push("C's "+sub.name, p.Close)
		c.c = c.add("C", p, p, pages)
	}
	if sub.reference != nil {
		l, err := sub.reference.open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", sub.reference.name, err)
		}
		c.library = c.add(sub.reference.name, l, pageByPage{l}, pages)
	}
	if c.allocations, err = c.own().allocations(); err != nil {
		return nil, fmt.Errorf("%s: %w", sub.name, err)
	}
	return c, nil
}

func (c *contest) add(name string, one coder, many batch, pages *set) *side {
	s := &side{
		name: name, coder: one, batch: many, set: pages,
		out: pages.out(len(c.sides)), length: make([]uint64, pages.len()),
	}
	c.sides = append(c.sides, s)
	return s
}

func (c *contest) own() *side { return c.sides[0] }

// round has every side compress and decompress all pages, and notes the speeds.
// Then, outside of the time taken, it compares what came out with what went in.
func (c *contest) round() error {
	runtime.GC() // what set-up left behind is not to be collected while time is taken
	if err := race(c.sides, (*side).pack, func(s *side) *report.Series { return &s.compress }); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if err := race(c.sides, (*side).unpack, func(s *side) *report.Series { return &s.decompress }); err != nil {
		return fmt.Errorf("decompress: %w", err)
	}
	for _, s := range c.sides {
		if err := s.readBy(s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if m, ok := s.coder.(interface{ MemoryUsage() int }); ok {
			s.memory = m.MemoryUsage()
		}
	}
	return c.exchange()
}

// exchange has us and C read what the other wrote.
func (c *contest) exchange() error {
	if c.c == nil {
		return nil
	}
	if err := c.c.readBy(c.own()); err != nil {
		return fmt.Errorf("from C to us: %w", err)
	}
	if c.algorithm == "lzo-rle" {
		return nil // C reads no runs
	}
	if err := c.own().readBy(c.c); err != nil {
		return fmt.Errorf("from us to C: %w", err)
	}
	return nil
}

const (
	// A round makes so many passes over all pages for each side, and gives each
	// so long, at least: a fast codec on few pages would be all noise.
	leastPasses = 4
	leastTime   = 300 * time.Millisecond
	// group is how many bytes of pages are timed together.
	group = 64 << 10
)

// race has all sides do the pages in turns, a pass each, and adds their speeds
// in MB/s to the series that to names.
func race(sides []*side, do func(s *side, i, j int) error, to func(*side) *report.Series) error {
	pages := sides[0].set
	each := group / pages.size
	groups := (pages.len() + each - 1) / each
	watches := make([]*stopwatch.Watch, len(sides))
	for k := range sides {
		watches[k] = stopwatch.New(groups)
	}
	end := time.Now().Add(leastTime * time.Duration(len(sides)))
	for pass := 0; pass < leastPasses || time.Now().Before(end); pass++ {
		for k, s := range sides {
			for g := range groups {
				start := time.Now()
				if err := do(s, g*each, min((g+1)*each, pages.len())); err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				watches[k].Note(g, start)
			}
		}
	}
	for k, s := range sides {
		series := to(s)
		*series = append(*series, watches[k].Speed(len(pages.pages)))
	}
	return nil
}
