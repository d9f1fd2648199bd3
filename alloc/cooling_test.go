package alloc

import (
	"errors"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
)

// What cools goes back to the system, and nothing beside it.
func TestCooledRunsGoBack(t *testing.T) {
	const n = 4000
	p, o := newPool(t, n)
	random := rand.New(rand.NewPCG(3, 3))
	for i := range n {
		o.store(t, i, 1+random.IntN(PageSize), byte(i))
	}
	order := random.Perm(n)
	for k, i := range order {
		o.dropAs(NoWorker, i)
		if k%500 == 0 {
			p.runs.giveCooled()
			check(t, p)
			for _, i := range order[k+1:] {
				o.verify(t, i)
			}
		}
	}
	for p.runs.giveCooled() {
	}
	tight(t, p)
}

// Neighbours are known for each length of runs, over the ends of frames.
func TestBehindARunIsTheNext(t *testing.T) {
	p, _ := newPool(t, 1000)
	r := &p.runs
	for n := 1; n <= framePages; n++ {
		var pages []uint32
		r.mu.Lock()
		for range 3 * (framePages / n) {
			page, err := r.reserve(n)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, page)
		}
		r.mu.Unlock()
		slices.Sort(pages)
		for i, page := range pages[1:] {
			if got := r.behind(pages[i]); got != page {
				t.Errorf("behind page %d of runs of %d is %d, want %d", pages[i], n, got, page)
			}
		}
	}
}

// coolOne fills the warm stock of a length and has one more run cool.
func coolOne(t *testing.T, r *runs, n int) (page uint32) {
	t.Helper()
	var pages []uint32
	for range warmMax + 1 {
		page, err := r.get(n, nil)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	for _, page := range pages {
		r.put(page, n, nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.warm[n]) > 0 {
		r.cooling.add(r.takeWarm(n), n)
	}
	return pages[0]
}

func TestWhatCoolsCanBeHad(t *testing.T) {
	p, _ := newPool(t, 1000)
	r := &p.runs
	coolOne(t, r, 3)
	cool := r.warmPages()
	page, err := r.get(3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.length(page); got != 3 || r.warmPages() != cool-3 {
		t.Errorf("a run of %d pages, %d left of %d that cooled", got, r.warmPages(), cool)
	}
}

// Before the pool says that it has no memory, what cools is given back, for runs
// of another length.
func TestCooledRunsBeforeENOMEM(t *testing.T) {
	p, _ := newPool(t, 16)
	r := &p.runs
	coolOne(t, r, 5)
	var err error
	for err == nil {
		_, err = r.get(framePages, nil)
	}
	if !errors.Is(err, syscall.ENOMEM) {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.cooling.runs) != 0 {
		t.Errorf("no memory, and %d runs cool", len(r.cooling.runs))
	}
}
