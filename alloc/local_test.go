package alloc

import (
	"sync"
	"testing"
)

// reserved is how many objects the reserves of a class hold.
func (p *Pool) reserved(c *class) (n int) {
	for i := range p.locals {
		for j := range p.locals[i].objects[c.ordinal].cells {
			if p.locals[i].objects[c.ordinal].cells[j].Load() != 0 {
				n++
			}
		}
	}
	return n
}

func TestReserveServesWithoutTheClassLock(t *testing.T) {
	const size = 300
	p, o := newPool(t, 100)
	c := p.byIndex[sizeIndex(size)]
	o.store(t, 0, size, 1)
	if n := p.reserved(c); n != reserveObjects {
		t.Fatalf("%d objects reserved after the first allocation, want %d", n, reserveObjects)
	}
	c.mu.Lock() // whoever wants it now waits for ever
	for i := 1; i <= reserveObjects; i++ {
		o.store(t, i, size, byte(i))
	}
	c.mu.Unlock()
	check(t, p)
	for i := range o.slot {
		o.verify(t, i)
	}
}

// What is reserved keeps no memory from the system or from other workers.
func TestReservesWasteNothing(t *testing.T) {
	const size = 300
	p, o := newPool(t, 1000)
	c := p.byIndex[sizeIndex(size)]
	for worker := range p.locals {
		o.storeAs(t, worker, worker, size, 1)
	}
	if p.Pages() != uint64(c.pages) {
		t.Errorf("one object for each of %d workers takes %d pages, want one zspage of %d", len(p.locals), p.Pages(), c.pages)
	}
	for i := len(p.locals); i < c.objs; i++ {
		o.storeAs(t, 0, i, size, 1)
	}
	if p.Pages() != uint64(c.pages) {
		t.Errorf("%d objects of %d a zspage take %d pages", c.objs, c.objs, p.Pages())
	}
	o.storeAs(t, 1, c.objs, size, 1)
	for i := range c.objs {
		o.drop(i)
	}
	if p.reserved(c) == 0 || p.Pages() != uint64(c.pages) {
		t.Errorf("%d objects reserved, %d pages; want some, and one zspage", p.reserved(c), p.Pages())
	}
	o.drop(c.objs)
	if p.reserved(c) != 0 || p.Pages() != 0 {
		t.Errorf("%d objects reserved in %d pages of an empty pool", p.reserved(c), p.Pages())
	}
	check(t, p)
}

// Compaction and statistics see objects in use, not what is reserved.
func TestStatisticsDoNotCountReserves(t *testing.T) {
	p, o := newPool(t, 100)
	o.store(t, 0, 300, 1)
	for _, row := range p.Classes() {
		if row.Size >= 300 && row.Used != 0 {
			if row.Used != 1 || row.Fullness[0] != 1 {
				t.Errorf("class %d: %d objects, fullness %v; want one, at most 10 %% full", row.Size, row.Used, row.Fullness)
			}
			return
		}
	}
	t.Error("no class has an object")
}

// Workers and thieves at one class: no object is handed out twice.
func TestReservesAgainstRecall(t *testing.T) {
	const size, rounds = 300, 20000
	p, o := newPool(t, 64)
	c := p.byIndex[sizeIndex(size)]
	stop := make(chan struct{})
	var thief, workers sync.WaitGroup
	thief.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.mu.Lock()
				p.recall(c)
				c.mu.Unlock()
			}
		}
	})
	for worker := range p.locals {
		workers.Go(func() {
			for n := range rounds {
				i := worker*16 + n%16
				o.verify(t, i)
				o.storeAs(t, worker, i, size, byte(n))
			}
		})
	}
	workers.Wait()
	close(stop)
	thief.Wait()
	check(t, p)
}

// A run that a worker has in reserve is there for the others before the pool
// says that there is no memory.
func TestWarmRunsOfOthersBeforeENOMEM(t *testing.T) {
	p, _ := newPool(t, 100)
	l := &p.locals[1]
	for l.hasRoom(1) {
		page, err := p.runs.get(1, nil)
		if err != nil {
			t.Fatal(err)
		}
		l.putRun(page, 1)
	}
	for range localRuns {
		if page, err := p.runs.takeFromOthers(1, ErrNoMemory); page == 0 || err != nil {
			t.Fatalf("page %d, %v", page, err)
		} else {
			p.runs.put(page, 1, nil)
		}
	}
	if page, err := p.runs.takeFromOthers(1, ErrNoMemory); page != 0 || err != ErrNoMemory {
		t.Errorf("page %d, %v once nobody has any", page, err)
	}
}
