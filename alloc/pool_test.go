package alloc

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
)

// owners is a Mover over a plain table, with a lock per owner as a device has.
type owners struct {
	pool *Pool
	slot []ownerSlot
}

type ownerSlot struct {
	mu     sync.Mutex
	handle Handle
	size   int
	fill   byte
}

func (o *owners) Move(owner uint64, from, to Handle) bool {
	s := &o.slot[owner]
	if !s.mu.TryLock() {
		return false
	}
	defer s.mu.Unlock()
	if s.handle != from {
		return false
	}
	copy(o.pool.Bytes(to, s.size), o.pool.Bytes(from, s.size))
	s.handle = to
	return true
}

func newPool(t testing.TB, objects int) (*Pool, *owners) {
	t.Helper()
	p, err := New(uint64(objects), 1<<30, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p, &owners{pool: p, slot: make([]ownerSlot, objects)}
}

// The refiller backs descriptors before they are needed, so that nobody waits
// for memory with the lock of the runs held.
func TestDescriptorsAreBackedAhead(t *testing.T) {
	p, o := newPool(t, 4*growFrames)
	r := &p.runs
	asked := make(chan uint32, 16)
	grow := r.grow
	r.grow = func(from, to uint32) error {
		asked <- to
		return grow(from, to)
	}
	o.store(t, 0, PageSize, 1)
	for to := uint32(0); to <= growFrames; to = <-asked {
	}
}

func (o *owners) store(t testing.TB, i, size int, fill byte) {
	t.Helper()
	o.storeAs(t, 0, i, size, fill)
}

func (o *owners) storeAs(t testing.TB, worker, i, size int, fill byte) {
	t.Helper()
	h, err := o.pool.Alloc(worker, size, uint64(i))
	if err != nil {
		t.Fatal(err)
	}
	b := o.pool.Bytes(h, size)
	for j := range b {
		b[j] = fill
	}
	s := &o.slot[i]
	s.mu.Lock()
	old := s.handle
	s.handle, s.size, s.fill = h, size, fill
	s.mu.Unlock()
	if old != 0 {
		o.pool.Free(worker, old)
	}
}

func (o *owners) drop(i int) { o.dropAs(0, i) }

func (o *owners) dropAs(worker, i int) {
	s := &o.slot[i]
	s.mu.Lock()
	old := s.handle
	s.handle = 0
	s.mu.Unlock()
	if old != 0 {
		o.pool.Free(worker, old)
	}
}

func (o *owners) verify(t testing.TB, i int) {
	t.Helper()
	s := &o.slot[i]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handle == 0 {
		return
	}
	if got := o.pool.Bytes(s.handle, s.size); !bytes.Equal(got, bytes.Repeat([]byte{s.fill}, s.size)) {
		t.Errorf("owner %d: %d bytes of %#x read back as %x...", i, s.size, s.fill, got[:min(16, len(got))])
	}
}

func check(t testing.TB, p *Pool) {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestEverySizeStoresAndFrees(t *testing.T) {
	p, o := newPool(t, PageSize)
	for size := 1; size <= PageSize; size++ {
		o.store(t, size-1, size, byte(size))
	}
	check(t, p)
	for i := range o.slot {
		o.verify(t, i)
		o.drop(i)
	}
	check(t, p)
	if p.Pages() != 0 {
		t.Errorf("%d pages in use after all was freed", p.Pages())
	}
}

func TestHugeObjectsTakeAPageEach(t *testing.T) {
	p, o := newPool(t, 100)
	for i := range 100 {
		o.store(t, i, PageSize-i%8*50, byte(i))
	}
	if p.Pages() != 100 {
		t.Errorf("100 huge objects take %d pages", p.Pages())
	}
	check(t, p)
}

func TestCompactGivesPagesBack(t *testing.T) {
	const n = 4000
	p, o := newPool(t, n)
	for i := range n {
		o.store(t, i, 100+i%1500, byte(i))
	}
	for i := range n {
		if i%4 != 1 {
			o.drop(i)
		}
	}
	check(t, p)
	before := p.Pages()
	freed := p.Compact(o)
	check(t, p)
	if freed == 0 || before-p.Pages() != freed {
		t.Errorf("compaction reports %d pages freed, use fell from %d to %d", freed, before, p.Pages())
	}
	for _, c := range p.classes {
		if c.objs > 1 && c.spare() >= uint64(c.objs) {
			t.Errorf("class %d keeps %d spare objects of %d a zspage", c.size, c.spare(), c.objs)
		}
	}
	for i := range n {
		o.verify(t, i)
	}
}

// An owner that is busy keeps its object where it is, and compaction ends.
func TestCompactLeavesBusyOwnersAlone(t *testing.T) {
	const n = 1000
	p, o := newPool(t, n)
	for i := range n {
		o.store(t, i, 300, byte(i))
	}
	for i := range n {
		if i%5 != 0 {
			o.drop(i)
		}
	}
	for i := range n {
		o.slot[i].mu.Lock()
	}
	if freed := p.Compact(o); freed != 0 {
		t.Errorf("%d pages freed though every owner was busy", freed)
	}
	for i := range n {
		o.slot[i].mu.Unlock()
	}
	check(t, p)
	if p.Compact(o) == 0 {
		t.Error("nothing freed once the owners were idle")
	}
	check(t, p)
}

// One object that cannot be moved does not keep the rest of its class from it.
func TestCompactGoesOnPastABusyOwner(t *testing.T) {
	const n = 1000
	p, o := newPool(t, n)
	for i := range n {
		o.store(t, i, 2000, byte(i))
	}
	for i := range n {
		if i%8 != 0 {
			o.drop(i)
		}
	}
	page := p.byIndex[sizeIndex(2000)].emptiest()
	for i := range n {
		if h := o.slot[i].handle; h != 0 && p.runs.first(h.page()) == page {
			o.slot[i].mu.Lock()
			defer o.slot[i].mu.Unlock()
		}
	}
	before := p.Pages()
	if freed := p.Compact(o); freed < before/2 {
		t.Errorf("%d of %d pages given back beside one busy zspage", freed, before)
	}
	check(t, p)
}

func TestAddressSpaceUsedUpIsENOMEM(t *testing.T) {
	p, err := New(1, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var got []Handle
	for {
		h, err := p.Alloc(0, PageSize, 0)
		if err != nil {
			if !errors.Is(err, syscall.ENOMEM) || !errors.Is(err, ErrNoMemory) {
				t.Errorf("error %v, want ErrNoMemory", err)
			}
			break
		}
		got = append(got, h)
		if len(got) > 1<<20 {
			t.Fatal("the pool never runs out")
		}
	}
	check(t, p)
	for _, h := range got {
		p.Free(0, h)
	}
	check(t, p)
	if _, err := p.Alloc(0, 100, 0); err != nil {
		t.Errorf("no room after all was freed: %v", err)
	}
}

// Everything at once: random sizes, overwrites, frees and compaction by several
// goroutines, each verifying its own owners.
func TestConcurrentUse(t *testing.T) {
	const goroutines, each, rounds = 4, 200, 4000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	p, o := newPool(t, goroutines*each)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				p.Compact(o)
			}
		}
	}()
	for g := range goroutines {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(g)))
			for range rounds {
				i := g*each + rng.IntN(each)
				o.verify(t, i)
				if rng.IntN(3) == 0 {
					o.dropAs(g, i)
				} else {
					o.storeAs(t, g, i, 1+rng.IntN(PageSize), byte(rng.Uint32()))
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	<-done
	check(t, p)
	for i := range o.slot {
		o.verify(t, i)
		o.drop(i)
	}
	if p.Pages() != 0 {
		t.Errorf("%d pages in use after all was freed", p.Pages())
	}
}

// Freed pages beyond the warm stock and what cools really go back.
func TestMemoryGoesBackToTheSystem(t *testing.T) {
	const n = 5000
	p, o := newPool(t, n)
	for i := range n {
		o.store(t, i, PageSize, 1)
	}
	full := p.data.Resident()
	for i := range n {
		o.drop(i)
	}
	if left, most := p.data.Resident(), uint64((warmMax*36+2*coolPages+1)*PageSize); full < n*PageSize || left > most {
		t.Errorf("%d bytes resident full, %d after freeing all (at most %d expected)", full, left, most)
	}
}

func TestAllocFreeAllocateNothingOnTheGoHeap(t *testing.T) {
	p, _ := newPool(t, 1000)
	for range 100 { // warm the stocks
		h, _ := p.Alloc(0, PageSize, 0)
		p.Free(0, h)
	}
	for _, size := range []int{50, 1000, PageSize} {
		if n := testing.AllocsPerRun(200, func() {
			h, err := p.Alloc(0, size, 1)
			if err != nil {
				t.Fatal(err)
			}
			p.Free(0, h)
		}); n != 0 {
			t.Errorf("size %d: %v Go heap allocations", size, n)
		}
	}
}

// With a worker's reserves and without.
func BenchmarkAllocFree(b *testing.B) {
	for _, c := range []struct {
		name   string
		worker int
	}{{"reserve", 0}, {"none", NoWorker}} {
		b.Run(c.name, func(b *testing.B) {
			p, _ := newPool(b, 1<<16)
			var keep [4096]Handle
			i := 0
			for b.Loop() {
				j := i & 4095
				if keep[j] != 0 {
					p.Free(c.worker, keep[j])
				}
				keep[j], _ = p.Alloc(c.worker, 200+(i*7919)%3000, uint64(j))
				i++
			}
			for _, h := range keep {
				if h != 0 {
					p.Free(c.worker, h)
				}
			}
		})
	}
}

// Only the allocation, the frees being done outside the time: sizes of one
// class, and of all.
func BenchmarkAlloc(b *testing.B) {
	for _, c := range []struct {
		name   string
		worker int
		spread int
	}{{"one-class/reserve", 0, 1}, {"one-class/none", NoWorker, 1}, {"all/reserve", 0, 3000}, {"all/none", NoWorker, 3000}} {
		b.Run(c.name, func(b *testing.B) {
			p, _ := newPool(b, 1<<16)
			keep := make([]Handle, 0, 1<<13)
			i := 0
			for b.Loop() {
				if len(keep) == cap(keep) {
					b.StopTimer()
					for _, h := range keep[1:] {
						p.Free(NoWorker, h)
					}
					keep = keep[:1]
					b.StartTimer()
				}
				h, err := p.Alloc(c.worker, 200+(i*7919)%c.spread, 1)
				if err != nil {
					b.Fatal(err)
				}
				keep = append(keep, h)
				i++
			}
		})
	}
}
