package main

import (
	"slices"

	"uzram/alloc"
	"uzram/store"
)

// class is the geometry of a size class: objs objects of size bytes each in a
// zspage of pages pages.
type class struct{ size, pages, objs int }

// tail is what a zspage has left over, in bytes.
func (c class) tail() int { return c.pages*alloc.PageSize - c.objs*c.size }

// rule says how size classes are derived.
type rule struct {
	name     string
	step     int  // bytes between sizes
	growth   int  // if set, a size is larger than the last by one part in growth, and at least by step
	coarse   int  // below this size in bytes, every other size only
	chain    int  // longest zspage in pages
	slack    int  // bytes of waste a page that a shorter chain may have more than the best
	unmerged bool // no class shares another's
	header   int  // bytes before each object
}

// smallest is the least size of a class in bytes.
const smallest = 32

// table is size classes, ascending, without the one of huge objects.
type table struct {
	name    string
	header  int
	classes []class
	of      [alloc.PageSize + 1]int // bytes of an object with its header -> index in classes
}

// largest is the most that an object takes in a class, with its header.
func (r rule) largest() int { return alloc.HugeThreshold - 1 + r.header }

// derive makes the table of a rule.
func (r rule) derive() *table {
	sizes := r.sizes()
	t := &table{name: r.name, header: r.header, classes: make([]class, 0, len(sizes))}
	for _, size := range slices.Backward(sizes) {
		c := class{size: size, pages: r.chainOf(size)}
		c.objs = c.pages * alloc.PageSize / size
		if n := len(t.classes); !r.unmerged && n > 0 && t.classes[n-1].pages == c.pages && t.classes[n-1].objs == c.objs {
			continue
		}
		t.classes = append(t.classes, c)
	}
	slices.Reverse(t.classes)
	t.index()
	return t
}

// sizes is what classes are made of before any are merged, ascending.
func (r rule) sizes() (list []int) {
	for size := smallest; ; {
		if size >= r.coarse || size%(2*r.step) == 0 {
			list = append(list, size)
		}
		if size >= r.largest() {
			return list
		}
		next := size + r.step
		if r.growth > 0 {
			next = max(next, (size+size/r.growth+r.step-1)/r.step*r.step)
		}
		size = min(next, alloc.PageSize)
	}
}

// chainOf is zsmalloc's choice, the shortest chain of least waste; with slack the
// shortest that comes near it.
func (r rule) chainOf(size int) int {
	if size&(size-1) == 0 {
		return 1
	}
	best, least := 1, alloc.PageSize
	for n := 1; n <= r.chain; n++ {
		if waste := n * alloc.PageSize % size; waste < least {
			best, least = n, waste
		}
	}
	for n := 1; n < best; n++ {
		if n*alloc.PageSize%size*best <= (least+r.slack*best)*n {
			return n
		}
	}
	return best
}

// index fills of.
func (t *table) index() {
	i := 0
	for need := range t.of {
		for i < len(t.classes)-1 && t.classes[i].size < need {
			i++
		}
		t.of[need] = i
	}
}

// inUse is the engine's table, taken from a device.
func inUse() (*table, error) {
	crew, err := store.NewWorkers(1)
	if err != nil {
		return nil, err
	}
	device := store.NewDevice(crew)
	if err := device.SetDisksize(alloc.PageSize); err != nil {
		return nil, err
	}
	defer device.Reset(0)
	rows, err := device.Classes()
	if err != nil {
		return nil, err
	}
	t := &table{name: "in use", header: headerBytes}
	for _, r := range rows[:len(rows)-1] {
		t.classes = append(t.classes, class{r.Size, r.PagesPerZspage, r.PagesPerZspage * alloc.PageSize / r.Size})
	}
	t.index()
	return t, nil
}

// headerBytes stand before each object that is not huge.
const headerBytes = 8
