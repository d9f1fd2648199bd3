package store

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"uzram/alloc"
)

// A check finds nothing on a sound device, whatever goes on meanwhile, and sees
// damage that is done under load.
func TestCheckDuringIO(t *testing.T) {
	const workers, pages, rounds = 3, 4 * slotsPerHold, 30
	d, w := newDevice(t, workers, pages)
	page := pageOf(newRand(t), textPage)
	for i := range int64(pages) { // so that each check has all of the table to look at
		mustWrite(t, d, w.Scratch(0), page, i*PageSize)
	}
	stop := make(chan struct{})
	var crew sync.WaitGroup
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for id := range workers {
		crew.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(id)))
			s, buf := w.Scratch(id), make([]byte, 4*PageSize)
			for {
				select {
				case <-stop:
					return
				default:
				}
				off, n := randomRange(rng, pages*PageSize)
				n = min(n, len(buf))
				switch rng.IntN(8) {
				case 0:
					d.Discard(s, int64(off), int64(n))
				case 1:
					d.FreeHint(s, uint64(off/PageSize))
				default:
					for at := 0; at < len(buf); at += PageSize {
						fillPage(rng, rng.IntN(pageKinds), buf[at:at+PageSize])
					}
					mustWrite(t, d, s, buf[:n], int64(off))
				}
			}
		})
	}
	var holds, objects, restless uint64
	for range rounds {
		r, err := d.Check()
		if errors.Is(err, syscall.EBUSY) {
			restless++ // on a machine with much else to do
			continue
		}
		if err != nil || len(r.Findings) > 0 {
			t.Fatalf("%q, %v", r.Findings, err)
		}
		holds, objects = holds+r.Holds, objects+r.Objects
		d.Compact()
	}
	if done := rounds - restless; done < rounds/2 || holds < done*(pages/slotsPerHold+3) || objects == 0 {
		t.Errorf("%d holds, %d objects in %d checks, %d more gave up", holds, objects, done, restless)
	}
	d.live.Load().counters[0].huge.Add(1)
	r, err := d.Check()
	for errors.Is(err, syscall.EBUSY) {
		r, err = d.Check()
	}
	if err != nil || len(r.Findings) != 1 {
		t.Errorf("findings %q, %v after one count was falsified", r.Findings, err)
	}
	d.live.Load().counters[0].huge.Add(-1)
	close(stop)
	crew.Wait()
}

// A device that is wrong all over gets a report of bounded size.
func TestCheckListsAtMostSomeFindings(t *testing.T) {
	const pages = 2 * maxFindings
	d, w := newDevice(t, 1, pages)
	rng, page := newRand(t), make([]byte, PageSize)
	for i := range int64(pages) {
		fillPage(rng, textPage, page)
		mustWrite(t, d, w.Scratch(0), page, i*PageSize)
	}
	slots := d.live.Load().table.slots
	for i := range slots {
		slots[i].lock.Store(1)
	}
	r, err := d.Check()
	if err != nil || len(r.Findings) != maxFindings || r.More != pages-maxFindings {
		t.Errorf("%d findings and %d more, %v", len(r.Findings), r.More, err)
	}
	for i := range slots {
		slots[i].lock.Store(0)
	}
}

func TestCheckWants(t *testing.T) {
	d, w := newDevice(t, 1, 0)
	_, err := d.Check()
	wantErrno(t, "check before set-up", err, syscall.EINVAL)
	if err := d.SetDisksize(PageSize); err != nil {
		t.Fatal(err)
	}
	// A request that does not end: the check gives up, and lets I/O go on.
	l := w.Scratch(0).enter(d)
	r, err := d.Check()
	wantErrno(t, "check beside a request that does not end", err, syscall.EBUSY)
	if r.Holds != 0 || len(r.Findings) != 0 {
		t.Errorf("report %+v of a check that failed", r)
	}
	w.Scratch(0).leave(l)
	mustWrite(t, d, w.Scratch(0), make([]byte, PageSize), 0)
}

// A crew may serve several devices: who is at work for one of them keeps the
// others from nothing.
func TestRequestsOfOtherDevicesDoNotCount(t *testing.T) {
	d, w := newDevice(t, 1, 1)
	other := NewDevice(w)
	if err := other.SetDisksize(PageSize); err != nil {
		t.Fatal(err)
	}
	s := w.Scratch(0)
	l := s.enter(d)
	if r, err := other.Check(); err != nil || len(r.Findings) > 0 {
		t.Errorf("check of another device: %q, %v", r.Findings, err)
	}
	if err := other.Reset(0); err != nil {
		t.Error(err)
	}
	s.leave(l)
}

// Requests that come while I/O is held up wait, and none takes the device for
// one that is not set up.
func TestHeldRequestsWait(t *testing.T) {
	d, w := newDevice(t, 1, 1)
	l := d.live.Load()
	done := make(chan error)
	if !d.holdIO(time.Second, func() {
		go func() {
			_, err := d.WriteAt(w.Scratch(0), make([]byte, PageSize), 0)
			done <- err
		}()
		select {
		case err := <-done:
			t.Errorf("a write ended (%v) while I/O was held up", err)
		case <-time.After(20 * time.Millisecond):
		}
		if l.table.load(0).kind() != kindEmpty {
			t.Error("a page was written while I/O was held up")
		}
	}) {
		t.Fatal("not held")
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFreeHint(t *testing.T) {
	d, w := newDevice(t, 1, 4)
	s, page := w.Scratch(0), make([]byte, PageSize)
	fillPage(newRand(t), textPage, page)
	for i := range int64(2) {
		mustWrite(t, d, s, page, i*PageSize)
	}
	if !d.FreeHint(s, 0) || !d.FreeHint(s, 3) || d.FreeHint(s, 4) {
		t.Error("hints for a page in use, an empty one, and one past the end: want true, true, false")
	}
	l := d.live.Load()
	l.table.lock(1, s.waiter)
	taken := make(chan bool)
	go func() { taken <- d.FreeHint(s, 1) }()
	if <-taken {
		t.Error("a hint for a busy page was taken")
	}
	l.table.unlock(1)
	if st := d.Stats(); st.MissFree != 1 || st.NotifyFree != 3 || st.OrigDataSize != PageSize {
		t.Errorf("%d missed, %d notified, %d bytes in use; want 1, 3, a page", st.MissFree, st.NotifyFree, st.OrigDataSize)
	}
	for i := range int64(4) {
		mustWrite(t, d, s, page, i*PageSize)
	}
	d.FreeHints(1, 2)
	d.FreeHints(3, math.MaxUint64)
	d.FreeHints(math.MaxUint64, 1)
	if st := d.Stats(); st.OrigDataSize != PageSize {
		t.Errorf("%d bytes in use after hints for three of four pages", st.OrigDataSize)
	}
}

func TestCheckOfAnOwnerPastTheEnd(t *testing.T) {
	d, _ := newDevice(t, 1, 4)
	h, err := d.live.Load().pool.Alloc(alloc.NoWorker, 100, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := d.Check(); err != nil || len(r.Findings) == 0 || !strings.Contains(r.Findings[0], "slot 1000") {
		t.Errorf("findings %q, %v", r.Findings, err)
	}
	d.live.Load().pool.Free(alloc.NoWorker, h)
}

// Nobody asks for it, but a pool that wastes much is compacted, and one that
// wastes little is not.
func TestCompactionByItself(t *testing.T) {
	const pages = 4096
	d, w := newDevice(t, 1, pages)
	s, page := w.Scratch(0), make([]byte, PageSize)
	rng := newRand(t)
	for i := range int64(pages) {
		fillPage(rng, halfPage, page)
		mustWrite(t, d, s, page, i*PageSize)
	}
	full := d.Stats().MemUsedTotal
	for i := int64(0); i < pages; i += 16 {
		d.Discard(s, i*PageSize, PageSize)
	}
	time.Sleep(2 * wasteRest)
	if n := d.Stats().PagesCompacted; n != 0 {
		t.Errorf("%d pages compacted though a sixteenth was free", n)
	}
	for i := range int64(pages) {
		if i%4 != 1 {
			d.Discard(s, i*PageSize, PageSize)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		st := d.Stats()
		if st.MemUsedTotal <= full*3/8 && st.PagesCompacted*PageSize >= full/4 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes in use 30 s after three quarters of %d were freed, %d pages compacted", st.MemUsedTotal, full, st.PagesCompacted)
		}
	}
}
