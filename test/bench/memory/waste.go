package main

import "uzram/alloc"

// waste is where the bytes of a pool go; their sum is the pool.
type waste struct {
	objects  int // what is stored, huge pages included
	headers  int
	internal int // between an object's end and its class's size
	tail     int // of zspages, too short for an object
	partial  int // free objects
}

func (w waste) bytes() int { return w.objects + w.headers + w.internal + w.tail + w.partial }
func (w waste) pages() int { return w.bytes() / alloc.PageSize }

// store is what a pool takes for objects when each class has at most one zspage
// that is not full: after they were stored one after another, or after
// compaction.
func (t *table) store(o *objects) (w waste) {
	used := make([]int, len(t.classes))
	for size, n := range o.count {
		if size == 0 || n == 0 {
			continue
		}
		w.objects += size * n
		if size == alloc.PageSize {
			continue
		}
		i := t.of[size+t.header]
		used[i] += n
		w.headers += t.header * n
		w.internal += (t.classes[i].size - size - t.header) * n
	}
	for i, n := range used {
		c := t.classes[i]
		zspages := (n + c.objs - 1) / c.objs
		w.tail += zspages * c.tail()
		w.partial += (zspages*c.objs - n) * c.size
	}
	return w
}

// freed is what a pool takes for objects of the given sizes, stored one after
// another, once those that are not kept were freed. A zspage with nothing left
// is gone.
func (t *table) freed(sizes []int, kept []bool) (w waste) {
	type zspages struct {
		stored int
		used   map[int]int // zspage -> objects
	}
	in := make([]zspages, len(t.classes))
	for page, size := range sizes {
		if size == 0 || size == alloc.PageSize {
			if kept[page] {
				w.objects += size
			}
			continue
		}
		i := t.of[size+t.header]
		z := in[i].stored / t.classes[i].objs
		in[i].stored++
		if !kept[page] {
			continue
		}
		if in[i].used == nil {
			in[i].used = map[int]int{}
		}
		in[i].used[z]++
		w.objects += size
		w.headers += t.header
		w.internal += t.classes[i].size - size - t.header
	}
	for i, c := range t.classes {
		for _, n := range in[i].used {
			w.tail += c.tail()
			w.partial += (c.objs - n) * c.size
		}
	}
	return w
}
