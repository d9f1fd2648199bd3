package store

import (
	"strings"
	"testing"

	"uzram/alloc"
)

// Check must see each kind of damage: a check that cannot fail proves nothing.
func TestCheckSeesDamage(t *testing.T) {
	for _, c := range []struct {
		name, want string
		damage     func(l *live)
	}{
		{"object of no size", "S3", func(l *live) { l.table.slots[0].word.Store(uint64(objectEntry(16, 0))) }},
		{"object of two pages", "S3", func(l *live) { l.table.slots[0].word.Store(uint64(objectEntry(16, 2*PageSize))) }},
		{"two names for one object", "S2", func(l *live) { l.table.slots[3].word.Store(l.table.slots[0].word.Load()) }},
		{"an object without name", "S2", func(l *live) { l.table.slots[0].word.Store(0) }},
		{"a block without backing device", "S1", func(l *live) { l.table.slots[1].word.Store(uint64(kindBlock) << kindShift) }},
		{"two names for one element", "same-filled", func(l *live) { l.table.slots[3].word.Store(l.table.slots[2].word.Load()) }},
		{"an object of another slot", "of slot 0", func(l *live) { l.table.slots[3].word.Store(l.table.slots[0].word.Load()) }},
		{"an object of another size", "S3", func(l *live) { l.table.slots[0].word.Add(1000 << sizeShift) }},
		{"a handle of nothing", "no object", func(l *live) { l.table.slots[0].word.Store(uint64(objectEntry(1<<40, 100))) }},
		{"a handle into an object", "no object", func(l *live) { l.table.slots[0].word.Add(1) }},
		{"an object that no slot names", "A6", func(l *live) { l.table.slots[0].word.Store(0) }},
		{"an element without name", "S4", func(l *live) { l.elements.used++ }},
		{"a wrong count", "S4", func(l *live) { l.counters[0].same.Add(1) }},
		{"a lock left behind", "locked", func(l *live) { l.table.slots[2].lock.Store(1) }},
		{"an object that the pool does not count", "S2", func(l *live) {
			if _, err := l.pool.Alloc(alloc.NoWorker, 100, 0); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorkers(t, 1)
			d := NewDevice(w)
			if err := d.SetDisksize(8 * PageSize); err != nil {
				t.Fatal(err)
			}
			defer d.Reset(0)
			rng, page := newRand(t), make([]byte, PageSize)
			for i, kind := range []int{textPage, zeroPage, oddElementPage} {
				fillPage(rng, kind, page)
				mustWrite(t, d, w.Scratch(0), page, int64(i)*PageSize)
			}
			check(t, d)
			c.damage(d.live.Load())
			r, err := d.Check()
			if err != nil || !strings.Contains(strings.Join(r.Findings, "; "), c.want) {
				t.Errorf("Check finds %q (%v), want something about %s", r.Findings, err, c.want)
			}
		})
	}
}

func TestReadOfAWordThatMeansNothing(t *testing.T) {
	d, w := newDevice(t, 1, 2)
	l := d.live.Load()
	if err := l.table.touch(0); err != nil {
		t.Fatal(err)
	}
	l.table.slots[0].word.Store(uint64(kindBlock) << kindShift)
	_, err := d.ReadAt(w.Scratch(0), make([]byte, PageSize), 0)
	if err == nil {
		t.Error("a block was read though there is no backing device")
	}
	l.table.slots[0].word.Store(0)
}

func TestClassesAddUp(t *testing.T) {
	d, w := newDevice(t, 1, 256)
	if _, err := NewDevice(w).Classes(); err == nil {
		t.Error("classes before set-up")
	}
	rng, page := newRand(t), make([]byte, PageSize)
	for i := range int64(256) {
		fillPage(rng, []int{textPage, halfPage, randomPage}[rng.IntN(3)], page)
		mustWrite(t, d, w.Scratch(0), page, i*PageSize)
	}
	rows, err := d.Classes()
	if err != nil {
		t.Fatal(err)
	}
	var pages, objects, zspages uint64
	for _, r := range rows {
		pages += r.Pages
		objects += r.Used
		for _, n := range r.Fullness {
			zspages += n
		}
		if r.Used > r.Allocated || r.Freeable > r.Pages {
			t.Errorf("class %d: %+v", r.Size, r)
		}
	}
	if st := d.Stats(); pages*alloc.PageSize != st.MemUsedTotal || objects != 256 || zspages == 0 {
		t.Errorf("%d pages, %d objects, %d zspages; stats %+v", pages, objects, zspages, st)
	}
}

func TestMemUsedMaxFollowsUse(t *testing.T) {
	d, w := newDevice(t, 1, 16)
	d.ResetMemUsedMax()
	rng, page := newRand(t), make([]byte, PageSize)
	fillPage(rng, randomPage, page)
	for i := range int64(8) {
		mustWrite(t, d, w.Scratch(0), page, i*PageSize)
	}
	d.Discard(w.Scratch(0), 0, 6*PageSize)
	if st := d.Stats(); st.MemUsedMax != 8*PageSize {
		t.Errorf("highest use %d", st.MemUsedMax)
	}
	d.ResetMemUsedMax()
	if st := d.Stats(); st.MemUsedMax != 2*PageSize {
		t.Errorf("highest use %d after it was set to the present one", st.MemUsedMax)
	}
}
