package alloc

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// Everything at once right after an adoption: several goroutines use the pool,
// compaction runs, and what is left to do is done beside them. Most runs of the
// pool are free with memory behind them, or become so. A run that were punched
// after somebody took it would read back as zeros.
func TestAdoptedPoolUnderLoad(t *testing.T) {
	const each, crew, rounds, adoptions = 400, 4, 3000, 6
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	_, o := newPool(t, each*crew)
	for n := range adoptions {
		for i := range o.slot {
			o.storeAs(t, NoWorker, i, 1+rng.IntN(PageSize), byte(1+rng.IntN(255)))
		}
		for range len(o.slot) * 2 { // never named
			if _, err := o.pool.Alloc(NoWorker, 1+rng.IntN(PageSize), 0); err != nil {
				t.Fatal(err)
			}
		}
		for range len(o.slot) / 2 {
			o.slot[rng.IntN(len(o.slot))].handle = 0
		}
		o.lose(t, rng)
		o = o.adopt(t)
		var users, others sync.WaitGroup
		stop := make(chan struct{})
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					o.pool.Compact(o)
				}
			}
		})
		if n%2 == 0 {
			others.Go(o.pool.Settle)
		}
		for g := range crew {
			rng := rand.New(rand.NewPCG(seed, uint64(n*crew+g+1)))
			users.Go(func() { o.useOwn(t, rng, g, g*each, each, rounds) })
		}
		users.Wait()
		close(stop)
		others.Wait()
		o.checkAll(t)
		tight(t, o.pool)
		checkFrames(t, &o.pool.runs)
	}
}

// useOwn stores, drops and verifies n owners from first on, which nobody else
// uses. Now and then all are dropped, so that runs and frames become free.
func (o *owners) useOwn(t testing.TB, rng *rand.Rand, worker, first, n, rounds int) {
	for round := range rounds {
		i := first + rng.IntN(n)
		o.verify(t, i)
		switch {
		case round%1000 == 999:
			for i := range n {
				o.dropAs(worker, first+i)
			}
		case rng.IntN(3) == 0:
			o.dropAs(worker, i)
		case rng.IntN(2) == 0:
			o.storeAs(t, NoWorker, i, 1+rng.IntN(PageSize), byte(1+rng.IntN(255)))
		default:
			o.storeAs(t, worker, i, 1+rng.IntN(PageSize), byte(1+rng.IntN(255)))
		}
	}
}

// One frame at a time, each step of the sweep against a user of the same frame.
func TestSweepAgainstUsersOfItsFrames(t *testing.T) {
	p, o := newPool(t, 1000)
	for i := range o.slot {
		o.store(t, i, PageSize, 1)
	}
	a := beginAdoption(t, p)
	for i := 0; i < len(o.slot); i += 4 { // no frame is full or empty
		if err := a.Claim(uint64(i), o.slot[i].handle, PageSize); err != nil {
			t.Fatal(err)
		}
	}
	q := finishQuietly(t, a)
	r := &q.runs

	free := r.withMemory(r.freeIn(nil, 1, r.top))
	taken, err := r.fresh(1) // between the look and the hold
	if err != nil {
		t.Fatal(err)
	}
	q.mem[runOffset(taken)] = 7
	free = r.hold(free)
	for range 500 { // while they are held
		page, err := r.fresh(1)
		if err != nil {
			t.Fatal(err)
		}
		if within(free, page) {
			t.Fatalf("page %d is handed out and will be punched", page)
		}
	}
	if within(free, taken) {
		t.Errorf("page %d was taken and will be punched", taken)
	}
	for _, f := range free {
		r.punch(f.from, int(f.to-f.from))
	}
	r.endSweep(r.sweep.end)
	if q.mem[runOffset(taken)] != 7 || len(r.sweep.held) != 0 {
		t.Errorf("a run that was taken reads as %d; %d runs are still held", q.mem[runOffset(taken)], len(r.sweep.held))
	}
}

// finishQuietly makes a's pool as Finish does, but leaves for ever what is done
// later.
func finishQuietly(t *testing.T, a *Adoption) *Pool {
	t.Helper()
	p := a.pool
	parts := make([]rebuilt, 1)
	parts[0].classes = make([]rebuiltClass, len(p.classes))
	if err := p.frameArena.PopulateData(0, uint64(a.top)*frameBytes); err != nil {
		t.Fatal(err)
	}
	a.rebuild(0, a.top, &parts[0])
	a.join(&parts[0])
	p.runs.top, p.runs.backed = a.top, a.top
	p.runs.sweep.begin(a.top, nil)
	p.start()
	t.Cleanup(func() {
		p.Close()
		a.claims.close()
	})
	return p
}

func within(list []stretch, page uint32) bool {
	for _, l := range list {
		if page >= l.from && page < l.to {
			return true
		}
	}
	return false
}

// A frame that becomes empty before the sweep has passed it is listed behind it,
// not before.
func TestSweepListsFramesOnce(t *testing.T) {
	p, o := newPool(t, 1000)
	for i := range o.slot {
		o.store(t, i, PageSize, 1)
	}
	a := beginAdoption(t, p)
	for i := range o.slot {
		if err := a.Claim(uint64(i), o.slot[i].handle, PageSize); err != nil {
			t.Fatal(err)
		}
	}
	q := finish(t, a)
	for i := range o.slot {
		q.Free(NoWorker, o.slot[i].handle)
	}
	for q.runs.giveCooled() {
	}
	q.Settle()
	for q.runs.giveCooled() {
	}
	checkFrames(t, &q.runs)
}

// checkFrames reports a frame that is not on the list where it belongs.
func checkFrames(t *testing.T, r *runs) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	listed := map[uint32]bool{}
	for n, head := range append([]uint32{r.empty}, r.partial[1:]...) {
		for i, prev := head, uint32(0); i != 0; prev, i = i, r.frames[i].next {
			if f := r.frames[i]; listed[i] || f.prev != prev || int(f.chain) != n {
				t.Fatalf("frame %d is listed for runs of %d pages: %+v, listed before: %v", i, n, f, listed[i])
			}
			listed[i] = true
		}
	}
	for i := uint32(1); i < r.top; i++ {
		f := r.frames[i]
		room := !r.sweep.keeps(i)
		if f.chain != 0 {
			room = f.taken != allTaken(f.chain)
		}
		if room != listed[i] {
			t.Errorf("frame %d has room: %v, is listed: %v: %+v", i, room, listed[i], f)
		}
	}
}
