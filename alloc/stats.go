package alloc

// ClassStats is one distinct size class as zsmalloc's classes file shows it.
type ClassStats struct {
	Index          int               // of the largest size of the class
	Size           int               // bytes of an object, header included
	Fullness       [groupFull]uint64 // zspages used up to 10 %, 20 %, ... 90 %, 99 %, and full
	Allocated      uint64            // objects that the zspages could hold
	Used           uint64            // objects
	Pages          uint64            // pages of the zspages
	PagesPerZspage int
	Freeable       uint64 // pages that compaction could give back at most
}

// Classes describes each distinct class, ascending by size. Each row is right
// in itself; rows are taken one after another.
func (p *Pool) Classes() []ClassStats {
	list := make([]ClassStats, 0, len(p.classes)+1)
	for _, c := range p.classes {
		list = append(list, p.stats(c))
	}
	huge := uint64(p.huge.Load())
	row := ClassStats{Index: hugeIndex, Size: PageSize, PagesPerZspage: 1, Allocated: huge, Used: huge, Pages: huge}
	row.Fullness[groupFull-1] = huge
	return append(list, row)
}

func (p *Pool) stats(c *class) ClassStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.recall(c)
	s := ClassStats{
		Index: c.index, Size: c.size, PagesPerZspage: c.pages,
		Allocated: c.zspages * uint64(c.objs), Used: c.used, Pages: c.zspages * uint64(c.pages),
		Freeable: c.freeable(),
	}
	copy(s.Fullness[:], c.counts[1:])
	return s
}

// Overhead is the memory beyond Pages, in bytes: the descriptors of zspages and
// frames, and the runs kept warm for requests to come.
func (p *Pool) Overhead() (descriptors, warm uint64) {
	return p.zspageArena.Resident() + p.frameArena.Resident(), p.runs.warmPages() * PageSize
}
