package main

import (
	"sort"

	"uzram/internal/ctldir"
	"uzram/internal/zramabi"
)

// picker says whether a run would take a page. It must choose as the daemon does, or a dry run would lie.
type picker func(zramabi.PageState) bool

// census counts the pages of a device.
type census struct {
	picked     uint64       // those that a picker takes
	sizes      [4097]uint64 // of these, by bytes of the object
	back       uint64       // on the backing device
	byPriority [4]uint64    // by the algorithm that compressed them
}

// takeCensus walks all pages of a device. They change meanwhile, and so it is right for a device at rest only.
func takeCensus(dir ctldir.Dir, picks picker) (*census, error) {
	c := new(census)
	err := dir.EachLine("debug/page_state", func(line string) error {
		p, err := zramabi.ParsePageState(line)
		if err != nil {
			return err
		}
		c.byPriority[p.Priority%uint32(len(c.byPriority))]++
		if p.WrittenBack {
			c.back++
		}
		if p.Size > 0 && int(p.Size) < len(c.sizes) && picks(p) {
			c.picked++
			c.sizes[p.Size]++
		}
		return nil
	})
	return c, err
}

// largest returns how many pages a run takes that stops after most, and the bytes of their objects. Those with the largest
// objects go first; within 64 bytes of size others than these may, so the bytes are right to that extent.
func (c *census) largest(most uint64) (pages, bytes uint64) {
	for size := len(c.sizes) - 1; size > 0 && pages < most; size-- {
		n := min(c.sizes[size], most-pages)
		pages += n
		bytes += n * uint64(size)
	}
	return pages, bytes
}

// writebackPicks is what a command of writeback takes.
func writebackPicks(w zramabi.Writeback) picker {
	if len(w.Ranges) > 0 {
		return inRanges(w.Ranges)
	}
	if !w.Idle && !w.Huge && !w.Incompressible {
		return func(zramabi.PageState) bool { return false }
	}
	return func(p zramabi.PageState) bool {
		return (!w.Idle || p.Idle) && (!w.Huge || p.Huge) && (!w.Incompressible || p.Incompressible)
	}
}

// inRanges takes the pages in any of the ranges, which may overlap.
func inRanges(ranges []zramabi.PageRange) picker {
	list := append([]zramabi.PageRange(nil), ranges...)
	sort.Slice(list, func(i, k int) bool { return list[i].First < list[k].First })
	var apart []zramabi.PageRange
	for _, r := range list {
		if n := len(apart); n > 0 && r.First <= apart[n-1].Last {
			apart[n-1].Last = max(apart[n-1].Last, r.Last)
		} else {
			apart = append(apart, r)
		}
	}
	return func(p zramabi.PageState) bool {
		i := sort.Search(len(apart), func(i int) bool { return apart[i].Last >= p.Index })
		return i < len(apart) && apart[i].First <= p.Index
	}
}

// recompressPicks is what a command of recompress takes, with the algorithm of a priority.
func recompressPicks(r zramabi.Recompress, priority int32) picker {
	return func(p zramabi.PageState) bool {
		return p.Priority < uint32(priority) && !p.Incompressible && p.Size >= r.Threshold && (!r.Idle || p.Idle) && (!r.Huge || p.Huge)
	}
}

// idlePicks is what idle marks: all, or what was last used before a second since boot.
func idlePicks(before uint64) picker {
	return func(p zramabi.PageState) bool { return p.Seconds < before }
}
