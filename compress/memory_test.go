//go:build !race

package compress

// The race detector makes sync.Pool drop what it holds, and shadows the heap:
// what is counted and measured here has no meaning under it.

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestStream_NoAllocation counts heap allocations over pages of every size, in
// both directions, with room to spare and without. The first page of a size that
// is larger than those before may allocate.
func TestStream_NoAllocation(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.String(), func(t *testing.T) {
			s := v.open(t)
			for i, n := range []int{PageSize, 8 << 10, 16 << 10, 32 << 10, maxPage, PageSize, 1000} {
				if n > PageSize {
					traffic(t, s, kindText, n)()
				}
				for k, kind := range pageKinds {
					if (n > PageSize || v.slow()) && k%3 != i%3 {
						continue // some are enough of those that take long
					}
					if c := allocations(1, traffic(t, s, k, n)); c > 0 {
						t.Errorf("%s of %d bytes: %v allocations", kind.name, n, c)
					}
				}
			}
			small, large := traffic(t, s, kindText, PageSize), traffic(t, s, kindText, maxPage)
			if c := allocations(2, func() { small(); large() }); c > 0 {
				t.Errorf("small and large pages in turns: %v allocations", c)
			}
		})
	}
}

// allocations is how many f does on average. What the runtime allocates beside it
// is not in each of some measurements.
func allocations(runs int, f func()) float64 {
	least := testing.AllocsPerRun(runs, f)
	for try := 0; least > 0 && try < 4; try++ {
		least = min(least, testing.AllocsPerRun(runs, f))
	}
	return least
}

// traffic returns what sends a page of that kind through s, in all ways.
func traffic(t *testing.T, s Stream, k, n int) func() {
	page, back := makePage(k, n, 5), make([]byte, n)
	dst, good := make([]byte, DstSize(n)), make([]byte, DstSize(n))
	return func() {
		m, err := s.Compress(good, page)
		if err == nil {
			_, err = s.Compress(dst[:m], page)
		}
		if err == nil {
			err = s.Decompress(back, good[:m])
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = s.Compress(dst[:m-1], page)
		_ = s.Decompress(back, good[:m/2])
	}
}

// TestMemory holds the figures of streams, and of what only reads, against the
// heap.
func TestMemory(t *testing.T) {
	for _, v := range variants() {
		for _, n := range []int{PageSize, maxPage} {
			t.Run(fmt.Sprintf("%v/page=%d", v, n), func(t *testing.T) {
				c, _ := Lookup(v.codec)
				dst, page := make([]byte, DstSize(n)), makePage(kindText, n, 6)
				s := v.open(t)
				m, err := s.Compress(dst, page)
				if err != nil {
					t.Fatal(err)
				}
				packed := dst[:m]
				measure(t, "stream", func() (Decompressor, error) {
					s, err := c.NewStream(v.params)
					if err != nil {
						return nil, err
					}
					if _, err := s.Compress(packed, page); err != nil { // in little room
						return nil, err
					}
					return s, s.Decompress(page, packed)
				})
				measure(t, "reader", func() (Decompressor, error) {
					d, err := NewDecompressor(c, v.params, s)
					if err != nil {
						return nil, err
					}
					return d, d.Decompress(page, packed)
				})
				runtime.KeepAlive(page)
				runtime.KeepAlive(dst)
			})
		}
	}
}

// measure compares what several of the same say to need with what the heap grows
// by. The allocator rounds up, by less than an eighth or a page of memory.
func measure(t *testing.T, what string, open func() (Decompressor, error)) {
	t.Helper()
	const several = 4
	var all [several]Decompressor
	before := liveHeap()
	for i := range all {
		var err error
		if all[i], err = open(); err != nil {
			t.Fatal(err)
		}
	}
	grown := (liveHeap() - before) / several
	said := all[0].MemoryUsage()
	for _, d := range all {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%s: %d bytes, said to be %d", what, grown, said)
	if grown < said-512 || grown > said+said/8+512 {
		t.Errorf("%s: MemoryUsage() = %d, but the heap grows by %d", what, said, grown)
	}
}

// liveHeap returns the bytes of reachable objects.
func liveHeap() int {
	runtime.GC()
	runtime.GC() // the first one only moves what sync.Pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestMemory_Table prints what a stream needs after pages of either size, and
// what reads alone: the table of the manual.
//
//	go test ./compress -run TestMemory_Table -v
func TestMemory_Table(t *testing.T) {
	var table strings.Builder
	row := func(name, levels string, u memoryUse) {
		fmt.Fprintf(&table, "| %s | %s | %.1f | %.1f | %.1f |\n", name, levels,
			float64(u.page)/1024, float64(u.largest)/1024, float64(u.reader)/1024)
	}
	table.WriteString("\n| algorithm | level | stream, 4 KiB pages | stream, 64 KiB pages | reader alone |\n|---|---|---|---|---|\n")
	for _, name := range Names() {
		c, _ := Lookup(name)
		levels := tableLevels(c)
		if levels == nil {
			row(name, "", useOf(t, variant{codec: name}))
		}
		for i := 0; i < len(levels); {
			u, first := useOf(t, level(name, levels[i])), levels[i]
			for i++; i < len(levels) && useOf(t, level(name, levels[i])) == u; i++ {
			}
			words := fmt.Sprint(first)
			if last := levels[i-1]; last != first {
				words += fmt.Sprint(" to ", last)
			}
			row(name, words, u)
		}
		if v := (variant{name, Params{Dict: make([]byte, maxDict)}}); c.Check(v.params) == nil {
			row(name, "default, with a dictionary of 64 KiB", useOf(t, v))
		}
	}
	t.Log(table.String())
}

// tableLevels are the levels of the table, nil for a codec without any.
func tableLevels(c Codec) (levels []int32) {
	for l := int32(-10); l <= 22; l++ {
		if c.Check(level(c.Name(), l).params) == nil {
			levels = append(levels, l)
		}
	}
	return levels
}

// memoryUse is in bytes: after a page of PageSize, after one of maxPage, and what
// reads alone.
type memoryUse struct{ page, largest, reader int }

func useOf(t *testing.T, v variant) (u memoryUse) {
	t.Helper()
	c, _ := Lookup(v.codec)
	s := v.open(t)
	u.page = s.MemoryUsage()
	r, err := NewDecompressor(c, v.params, s)
	if err != nil {
		t.Fatal(err)
	}
	u.reader = r.MemoryUsage()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Compress(make([]byte, DstSize(maxPage)), makePage(kindText, maxPage, 6)); err != nil {
		t.Fatal(err)
	}
	u.largest = s.MemoryUsage()
	return u
}
