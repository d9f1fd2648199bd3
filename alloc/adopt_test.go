package alloc

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"uzram/internal/offheap"
)

// beginAdoption is of a copy of p's arena.
func beginAdoption(t testing.TB, p *Pool, options ...Option) *Adoption {
	t.Helper()
	twin, err := p.Arena().Copy()
	if err != nil {
		t.Fatal(err)
	}
	a, err := Adopt(twin, 4, options...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// finish makes a's pool, which closes with the test.
func finish(t testing.TB, a *Adoption) *Pool {
	t.Helper()
	p, err := a.Finish()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// adopt makes a pool of a copy of o's, with the objects that it names.
func (o *owners) adopt(t testing.TB, options ...Option) *owners {
	t.Helper()
	const crew = 3
	a := beginAdoption(t, o.pool, options...)
	next := &owners{slot: make([]ownerSlot, len(o.slot))}
	var wg sync.WaitGroup
	for g := range crew {
		wg.Go(func() {
			for i := g; i < len(o.slot); i += crew {
				s, n := &o.slot[i], &next.slot[i]
				if s.handle == 0 {
					continue
				}
				if err := a.Claim(uint64(i), s.handle, s.size); err != nil {
					t.Error(err)
				}
				n.handle, n.size, n.fill = s.handle, s.size, s.fill
			}
		})
	}
	wg.Wait()
	next.pool = finish(t, a)
	return next
}

func anySize(rng *rand.Rand) int {
	switch rng.IntN(8) {
	case 0:
		return 1 + rng.IntN(minSize-headerSize)
	case 1:
		return 1 + rng.IntN(PageSize/fewObjects)
	case 2:
		return PageSize
	}
	return 1 + rng.IntN(PageSize)
}

// churn stores and drops at random, with and without reserves, and compacts.
func (o *owners) churn(t testing.TB, rng *rand.Rand, rounds int) {
	t.Helper()
	for n := range rounds {
		i, worker := rng.IntN(len(o.slot)), rng.IntN(5)-1
		switch {
		case n%500 == 499:
			o.pool.Compact(o)
		case rng.IntN(5) < 2:
			o.dropAs(worker, i)
		default:
			o.storeAs(t, worker, i, anySize(rng), byte(rng.Uint32()))
		}
	}
}

// lose leaves what a process leaves that ends in the middle of its work: objects
// that no owner names yet or any more, and runs that nobody has taken.
func (o *owners) lose(t testing.TB, rng *rand.Rand) {
	t.Helper()
	for range 50 {
		h, err := o.pool.Alloc(rng.IntN(5)-1, anySize(rng), uint64(rng.IntN(len(o.slot))))
		if err != nil {
			t.Fatal(err)
		}
		o.pool.Bytes(h, 1)[0] = 0xee
		o.slot[rng.IntN(len(o.slot))].handle = 0
		if _, err := o.pool.runs.fresh(1 + rng.IntN(framePages)); err != nil {
			t.Fatal(err)
		}
	}
}

// checkAll is check with each object's owner naming it.
func (o *owners) checkAll(t testing.TB) {
	t.Helper()
	named, objects := 0, 0
	for i := range o.slot {
		o.verify(t, i)
		if o.slot[i].handle != 0 {
			named++
		}
	}
	report := func(err error) { t.Error(err) }
	for from, more := uint32(0), true; more; {
		from, _, more = o.pool.CheckFrames(from, 100, func(owner uint64, h Handle) bool {
			objects++
			return o.slot[owner].handle == h
		}, report)
	}
	o.pool.CheckTotals(report)
	if named != objects {
		t.Errorf("%d objects are named, the pool has %d", named, objects)
	}
}

// tight reports a pool that has memory behind anything but its zspages and warm
// runs. The refiller may be at work for a moment.
func tight(t testing.TB, p *Pool) {
	t.Helper()
	p.Settle()
	p.recallAll()
	var have, want uint64
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		have, want = p.data.Resident(), (p.Pages()+p.runs.warmPages()+1)*PageSize
		if have == want {
			return
		}
	}
	t.Errorf("%d bytes resident; zspages, warm runs and the header are %d", have, want)
}

// A pool that another process left in the middle of its work is the same pool,
// less what nobody names, and can be used at once.
func TestAdoptedPoolGoesOn(t *testing.T) {
	for name, options := range map[string][]Option{"plain": nil, "wiped": {Wiped}} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			rng := rand.New(rand.NewPCG(seed, 0))
			p, err := New(3000, 1<<30, 4, options...)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Close)
			o := &owners{pool: p, slot: make([]ownerSlot, 3000)}
			for round := range 6 {
				o.churn(t, rng, 5000)
				o.lose(t, rng)
				o = o.adopt(t, options...)
				if round%2 == 0 {
					o.checkAll(t)
				}
				o.churn(t, rng, 1000)
				o.checkAll(t)
				tight(t, o.pool)
			}
			for i := range o.slot {
				o.drop(i)
			}
			check(t, o.pool)
			if o.pool.Pages() != 0 {
				t.Errorf("%d pages in use after all was freed", o.pool.Pages())
			}
		})
	}
}

// Where nothing was lost, the figures are the same.
func TestAdoptedPoolCountsTheSame(t *testing.T) {
	p, o := newPool(t, 2000)
	o.churn(t, rand.New(rand.NewPCG(1, 1)), 6000)
	q := o.adopt(t).pool
	if a, b := p.Classes(), q.Classes(); !reflect.DeepEqual(a, b) {
		t.Errorf("classes were\n%+v, are\n%+v", a, b)
	}
	if p.Pages() != q.Pages() || p.Freeable() != q.Freeable() {
		t.Errorf("%d pages, %d freeable; were %d, %d", q.Pages(), q.Freeable(), p.Pages(), p.Freeable())
	}
}

// What several goroutines derive, each from its part of the frames, is one pool.
func TestAdoptionInParts(t *testing.T) {
	const n = 6 * framesEach * framePages
	_, o := newPool(t, n)
	sizes := []int{PageSize, 2000, 2600, 3000}
	for i := range n {
		o.store(t, i, sizes[i/100%len(sizes)], byte(i))
	}
	for i := range n {
		if i%3 == 0 {
			o.slot[i].handle = 0
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	o = o.adopt(t)
	checkFrames(t, &o.pool.runs)
	if o.pool.runs.top < 3*framesEach {
		t.Fatalf("%d frames of the pool are too few for three goroutines", o.pool.runs.top)
	}
	o.checkAll(t)
	checkFrames(t, &o.pool.runs)
	tight(t, o.pool)
}

func TestAdoptNothing(t *testing.T) {
	p, _ := newPool(t, 100)
	o := &owners{slot: make([]ownerSlot, 100)}
	o.pool = finish(t, beginAdoption(t, p))
	check(t, o.pool)
	tight(t, o.pool)
	o.churn(t, rand.New(rand.NewPCG(1, 1)), 500)
	o.checkAll(t)
}

// Until the sweep has passed them, empty frames are on no list; who needs one
// waits for it rather than find no memory.
func TestAllCanBeHadRightAfterAdoption(t *testing.T) {
	fill := func(p *Pool) (n int) {
		for ; ; n++ {
			if _, err := p.Alloc(0, PageSize, 0); err != nil {
				return n
			}
		}
	}
	p, err := New(1, 0, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	want := fill(p) - 2*framePages // the refiller may have some in hand
	q := finish(t, beginAdoption(t, p))
	if got := fill(q); got < want {
		t.Errorf("%d pages can be had right after an adoption, not %d", got, want)
	}
	q.Settle()
	check(t, q)
}

func TestCloseWhileMuchIsLeftToDo(t *testing.T) {
	p, o := newPool(t, 3000)
	for i := range o.slot {
		o.store(t, i, 300+i%2000, 1)
	}
	for range 5 {
		a := beginAdoption(t, p)
		for i := 0; i < len(o.slot); i += 3 {
			if err := a.Claim(uint64(i), o.slot[i].handle, o.slot[i].size); err != nil {
				t.Fatal(err)
			}
		}
		q, err := a.Finish()
		if err != nil {
			t.Fatal(err)
		}
		q.Close()
	}
}

func TestAbandonedAdoptionLeavesNothing(t *testing.T) {
	p, o := newPool(t, 100)
	o.store(t, 0, 10, 1)
	a := beginAdoption(t, p)
	if err := a.Claim(0, o.slot[0].handle, 10); err != nil {
		t.Fatal(err)
	}
	a.Abandon()
	if a.pool.data.Bytes() != nil || a.claims.arena.Bytes() != nil || a.pool.zspageArena.Bytes() != nil {
		t.Error("an arena is still mapped")
	}
}

func TestAdoptRefusesWhatIsNoPool(t *testing.T) {
	for name, c := range map[string]struct {
		purpose offheap.Purpose
		pages   uint64
		unit    uint64
	}{
		"another purpose": {offheap.SlotTable, framePages, PageSize},
		"half a frame":    {offheap.PoolData, framePages / 2, PageSize},
		"another unit":    {offheap.PoolData, framePages, 16},
	} {
		arena, err := offheap.New(c.purpose, c.pages*PageSize-offheap.HeaderSize, c.unit)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Adopt(arena, 1); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%s: %v, want EINVAL", name, err)
		}
		if err := arena.Close(); err != nil { // still ours
			t.Error(err)
		}
	}
}
