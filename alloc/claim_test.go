package alloc

import (
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestClaimsThatCannotBe(t *testing.T) {
	p, o := newPool(t, 100)
	for i := range 40 {
		o.store(t, i, 500, 1)
	}
	o.store(t, 50, PageSize, 1)
	a := beginAdoption(t, p)
	small, huge := o.slot[1].handle, o.slot[50].handle
	for i, claim := range map[int]int{0: 500, 50: PageSize} {
		if err := a.Claim(uint64(i), o.slot[i].handle, claim); err != nil {
			t.Fatal(err)
		}
	}
	end := handleAt(uint64(len(p.mem)))
	for name, c := range map[string]struct {
		h    Handle
		size int
		want string
	}{
		"no object":            {0, 500, "no such place"},
		"the header":           {handleAt(frameSize / 2), 500, "no such place"},
		"behind all memory":    {end - 1, 500, "no such place"},
		"behind the arena":     {end, 500, "no such place"},
		"above all handles":    {1<<HandleBits | small, 500, "no such place"},
		"a page number's wrap": {1<<40 | small, 500, "no such place"},
		"top bit":              {1<<63 | small, 500, "no such place"},
		"no size":              {small, 0, "no such place"},
		"a negative size":      {small, -1, "no such place"},
		"more than a page":     {small, PageSize + 1, "no such place"},
		"within an object":     {small + 1, 500, "begins there"},
		"another size":         {handleAt(runOffset(p.runs.first(small.page()))), 600, "another size"},
		"twice":                {o.slot[0].handle, 500, "somebody else's"},
		"huge twice":           {huge, PageSize, "somebody else's"},
		"huge within its page": {huge + 1, PageSize, "begins there"},
		"small in huge":        {huge, 30, "another size"},
	} {
		err := a.Claim(7, c.h, c.size)
		if err == nil || !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want EIO and %q", name, err, c.want)
		}
	}
	q := finish(t, a)
	check(t, q)
	if q.huge.Load() != 1 || q.Pages() != 1+uint64(q.byIndex[sizeIndex(500)].pages) {
		t.Errorf("%d pages, %d huge objects; want one zspage and one of these", q.Pages(), q.huge.Load())
	}
}

// Each place of a frame, for each class: what can be claimed is what the class's
// zspages in that frame hold, and no run of another length beside it.
func TestClaimsFitTheirFrame(t *testing.T) {
	p, o := newPool(t, 100)
	o.store(t, 0, PageSize, 1) // frame 1 has memory
	for i := 1; i < len(o.slot); i++ {
		o.store(t, i, PageSize, 1)
	}
	for _, c := range p.classes {
		a := beginAdoption(t, p)
		size := c.size - headerSize
		claimed := 0
		for at := uint64(0); at < frameSize; at += 1 << 4 {
			err := a.Claim(1, handleAt(frameSize+at), size)
			run := int(at / PageSize / uint64(c.pages))
			within := at - uint64(run*c.pages*PageSize)
			fits := run < framePages/c.pages && within%uint64(c.size) == 0 && within/uint64(c.size) < uint64(c.objs)
			if (err == nil) != fits {
				t.Fatalf("class %d: object at %d of a frame: %v, fits: %v", c.size, at, err, fits)
			}
			if err == nil {
				claimed++
			}
		}
		for _, other := range p.classes {
			if other.pages != c.pages && a.Claim(1, handleAt(frameSize), other.size-headerSize) == nil {
				t.Errorf("class %d is taken into a frame of class %d", other.size, c.size)
			}
		}
		q := finish(t, a)
		got := q.byIndex[c.index]
		zspages := framePages / c.pages
		if claimed != zspages*c.objs || got.used != uint64(claimed) || got.counts[groupFull] != uint64(zspages) {
			t.Errorf("class %d: %d claimed, %d in use, %d full zspages", c.size, claimed, got.used, got.counts[groupFull])
		}
	}
}

// A run of another length is refused in what is left of a frame, not only where
// one has begun.
func TestFrameHasOneLengthOfRuns(t *testing.T) {
	p, o := newPool(t, 100)
	o.store(t, 0, PageSize, 1)
	a := beginAdoption(t, p)
	if err := a.Claim(0, o.slot[0].handle, PageSize); err != nil {
		t.Fatal(err)
	}
	var long *class
	for _, c := range p.classes {
		if c.pages == 2 {
			long = c
		}
	}
	page := o.slot[0].handle.page()/framePages*framePages + 4
	if err := a.Claim(1, handleAt(runOffset(page)), long.size-headerSize); !errors.Is(err, syscall.EIO) {
		t.Errorf("a run of %d pages beside one of 1: %v", long.pages, err)
	}
	check(t, finish(t, a))
}

// Of many who claim the same object, one gets it.
func TestOneClaimWins(t *testing.T) {
	const n, crew = 2000, 4
	p, o := newPool(t, n)
	for i := range n {
		o.store(t, i, 1+i*2, 1)
	}
	a := beginAdoption(t, p)
	var won atomic.Int64
	var wg sync.WaitGroup
	for range crew {
		wg.Go(func() {
			for i := range n {
				if a.Claim(uint64(i), o.slot[i].handle, o.slot[i].size) == nil {
					won.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if won.Load() != n {
		t.Errorf("%d claims on %d objects were good", won.Load(), n)
	}
	q := finish(t, a)
	check(t, q)
	var used uint64
	for _, c := range q.Classes() {
		used += c.Used
	}
	if used != n {
		t.Errorf("%d objects in use, want %d", used, n)
	}
}

// Words may say anything: each is taken or refused, and the pool has as many
// objects as were taken.
func TestArbitraryClaims(t *testing.T) {
	const n = 500
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	p, o := newPool(t, n)
	for i := range n {
		o.store(t, i, anySize(rng), 1)
	}
	a := beginAdoption(t, p)
	taken := 0
	for range 100_000 {
		h := Handle(rng.Uint64() >> rng.IntN(64))
		if rng.IntN(4) > 0 {
			h = handleAt(rng.Uint64N(uint64(p.runs.top) * frameSize))
		}
		if a.Claim(rng.Uint64(), h, rng.IntN(PageSize+200)-100) == nil {
			taken++
		}
	}
	q := finish(t, a)
	q.Settle()
	var used uint64
	for _, c := range q.Classes() {
		used += c.Used
	}
	if taken == 0 || used != uint64(taken) {
		t.Errorf("%d claims were taken, the pool has %d objects", taken, used)
	}
	q.CheckTotals(func(err error) { t.Error(err) })
}
