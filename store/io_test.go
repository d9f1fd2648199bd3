package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"uzram/compress/codectest"
)

// Each worker owns every n-th page and checks it while the others, and a
// compaction that never stops, share classes and zspages with it.
func TestWorkersInParallel(t *testing.T) {
	const workers, pages = 4, 256
	d, w := newDevice(t, workers, pages)
	workInParallel(t, d, w, pages, false)
}

// The same on a codec that fails now and then: what failed changed nothing, of
// the worker's own pages or of others'.
func TestWorkersInParallelWithFailures(t *testing.T) {
	const workers, pages = 4, 256
	d, w, codec := newFailingDevice(t, workers, pages)
	workInParallel(t, d, w, pages, true)
	if st := d.Stats(); st.FailedReads+st.FailedWrites == 0 || st.FailedReads+st.FailedWrites > codec.Failures() {
		t.Errorf("%d reads and %d writes failed, the codec did %d times", st.FailedReads, st.FailedWrites, codec.Failures())
	}
}

func workInParallel(t *testing.T, d *Device, w *Workers, pages int, failing bool) {
	const steps = 3000
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	stop := besides(t, d)
	var crew sync.WaitGroup
	for id := range w.Len() {
		crew.Go(func() {
			o := owner{Scratch: w.Scratch(id), d: d, rng: rand.New(rand.NewPCG(seed, uint64(id))), shadow: make([]byte, pages*PageSize)}
			for range steps {
				i := o.rng.IntN(pages/w.Len())*w.Len() + id
				if err := excuse(o.step(i), failing); err != nil {
					t.Errorf("page %d: %v", i, err)
					return
				}
			}
		})
	}
	crew.Wait()
	stop()
}

// owner is a worker with pages that nobody else writes.
type owner struct {
	*Scratch
	d      *Device
	rng    *rand.Rand
	shadow []byte
}

// step does something to page i, or finds that it cannot.
func (o *owner) step(i int) error {
	off := i * PageSize
	page := o.shadow[off : off+PageSize]
	next := bytes.Clone(page)
	var err error
	switch o.rng.IntN(6) {
	case 0:
		clear(next)
		err = o.d.Discard(o.Scratch, int64(off), PageSize)
	case 1:
		from := o.rng.IntN(PageSize)
		to := from + 1 + o.rng.IntN(PageSize-from)
		randomBytes(o.rng, next[from:to])
		_, err = o.d.WriteAt(o.Scratch, next[from:to], int64(off+from))
	case 2, 3:
		fillPage(o.rng, o.rng.IntN(pageKinds), next)
		_, err = o.d.WriteAt(o.Scratch, next, int64(off))
	default:
		if _, err = o.d.ReadAt(o.Scratch, next, int64(off)); err == nil && !bytes.Equal(next, page) {
			return errors.New("it differs")
		}
	}
	if err != nil {
		return err
	}
	copy(page, next)
	return nil
}

// All workers fight for the same few pages, each writing pages of one repeated
// word or a page made from a number: a reader must see one write whole.
func TestWritesAreAtomicPerPage(t *testing.T) {
	const workers, pages, steps = 4, 2, 4000
	d, w := newDevice(t, workers, pages)
	var wg sync.WaitGroup
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for id := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(id)))
			s := w.Scratch(id)
			page := make([]byte, PageSize)
			for range steps {
				off := int64(rng.IntN(pages)) * PageSize
				switch rng.IntN(8) {
				case 0:
					d.Discard(s, off, PageSize)
				case 1, 2, 3:
					numbered(page, rng.Uint32())
					mustWrite(t, d, s, page, off)
				default:
					mustRead(t, d, s, page, off)
					want := make([]byte, PageSize)
					if n := number(page); n != 0 {
						numbered(want, n)
					}
					if !bytes.Equal(page, want) {
						t.Error("a read saw parts of two writes")
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// numbered fills a page from n so that every part of it tells n; odd n give
// incompressible pages.
func numbered(page []byte, n uint32) {
	n |= 1 << 31
	clear(page)
	rng := rand.New(rand.NewPCG(uint64(n), 0))
	for i := 0; i < len(page); i += 8 {
		page[i], page[i+1], page[i+2], page[i+3] = byte(n), byte(n>>8), byte(n>>16), byte(n>>24)
		if n&1 != 0 {
			for j := 4; j < 8; j++ {
				page[i+j] = byte(rng.Uint32())
			}
		}
	}
}

func number(page []byte) uint32 {
	return uint32(page[0]) | uint32(page[1])<<8 | uint32(page[2])<<16 | uint32(page[3])<<24
}

func TestEndsOfTheDisk(t *testing.T) {
	d, w := newDevice(t, 1, 0)
	s := w.Scratch(0)
	page := make([]byte, PageSize)
	if n, err := d.ReadAt(s, page, 0); n != 0 || err != nil {
		t.Errorf("read before set-up: %d, %v", n, err)
	}
	_, err := d.WriteAt(s, page, 0)
	wantErrno(t, "write before set-up", err, syscall.ENOSPC)
	if err := d.Discard(s, 0, PageSize); err != nil {
		t.Errorf("discard before set-up: %v", err)
	}
	if err := d.SetDisksize(3 * PageSize); err != nil {
		t.Fatal(err)
	}
	buf := bytes.Repeat([]byte("x"), 2*PageSize)
	if n, err := d.WriteAt(s, buf, 2*PageSize); n != PageSize || err != nil {
		t.Errorf("write across the end: %d, %v", n, err)
	}
	if n, err := d.ReadAt(s, buf, 2*PageSize+100); n != PageSize-100 || err != nil {
		t.Errorf("read across the end: %d, %v", n, err)
	}
	for _, off := range []int64{3 * PageSize, 1 << 62, -1, -PageSize} {
		_, err := d.WriteAt(s, page, off)
		wantErrno(t, fmt.Sprint("write at ", off), err, syscall.ENOSPC)
		if n, err := d.ReadAt(s, page, off); n != 0 || err != nil {
			t.Errorf("read at %d: %d, %v", off, n, err)
		}
	}
	if err := d.Discard(s, PageSize, 1<<62); err != nil {
		t.Error(err)
	}
	wantErrno(t, "discard of less than nothing", d.Discard(s, 0, -1), syscall.EINVAL)
	if st := d.Stats(); st.FailedWrites != 0 || st.NotifyFree != 2 || st.OrigDataSize != 0 {
		t.Errorf("stats %+v", st)
	}
}

func TestNothingIsAllocatedPerRequest(t *testing.T) {
	everyAlgorithm(t, func(t *testing.T, name string) {
		d, w := newDevice(t, 1, 0)
		d.SetAlgorithm(name)
		if err := d.SetDisksize(1 << 20); err != nil {
			t.Fatal(err)
		}
		s := w.Scratch(0)
		rng := newRand(t)
		var pages [pageKinds][PageSize]byte
		for kind := range pages {
			fillPage(rng, kind, pages[kind][:])
		}
		got := make([]byte, PageSize)
		for kind := range pages {
			n := testing.AllocsPerRun(100, func() {
				mustWrite(t, d, s, pages[kind][:], 0)
				mustWrite(t, d, s, pages[kind][:100], 5000)
				mustRead(t, d, s, got, 0)
				mustRead(t, d, s, got[:100], 5000)
				d.Discard(s, 0, 6000)
			})
			if n != 0 {
				t.Errorf("page kind %d: %v allocations", kind, n)
			}
		}
	})
}

func TestStatsPerKindOfPage(t *testing.T) {
	d, w := newDevice(t, 1, 16)
	s := w.Scratch(0)
	rng := newRand(t)
	page := make([]byte, PageSize)
	for kind := range pageKinds {
		fillPage(rng, kind, page)
		mustWrite(t, d, s, page, int64(kind)*PageSize)
	}
	st := d.Stats()
	if st.OrigDataSize != pageKinds*PageSize || st.SamePages != 3 || st.HugePages != 1 || st.HugePagesSince != 1 {
		t.Errorf("stats %+v", st)
	}
	if st.ComprDataSize <= PageSize || st.ComprDataSize >= 2*PageSize || st.MemUsedTotal < PageSize || st.MemUsedMax != st.MemUsedTotal {
		t.Errorf("sizes %+v", st)
	}
	if err := d.Discard(s, 0, 16*PageSize); err != nil {
		t.Fatal(err)
	}
	st = d.Stats()
	if st.OrigDataSize != 0 || st.ComprDataSize != 0 || st.MemUsedTotal != 0 || st.SamePages != 0 || st.HugePages != 0 || st.HugePagesSince != 1 || st.NotifyFree != 16 {
		t.Errorf("after discarding all: %+v", st)
	}
	if st.Table == 0 || st.Streams == 0 {
		t.Errorf("memory outside the pool is not counted: %+v", st)
	}
}

func TestMemLimit(t *testing.T) {
	d, w := newDevice(t, 1, 64)
	s := w.Scratch(0)
	rng := newRand(t)
	d.SetMemLimit(3*PageSize - 1)
	page, other := make([]byte, PageSize), make([]byte, PageSize)
	fillPage(rng, randomPage, page)
	fillPage(rng, randomPage, other)
	for i := range 3 {
		mustWrite(t, d, s, page, int64(i)*PageSize)
	}
	_, err := d.WriteAt(s, other, 3*PageSize)
	wantErrno(t, "write beyond the limit", err, syscall.EIO)
	_, err = d.WriteAt(s, other, 0)
	wantErrno(t, "overwrite at the limit", err, syscall.EIO)
	got := make([]byte, PageSize)
	mustRead(t, d, s, got, 0)
	if !bytes.Equal(got, page) {
		t.Error("a refused overwrite changed the page")
	}
	if n, err := d.WriteAt(s, make([]byte, 3*PageSize), 0); n != 3*PageSize || err != nil {
		t.Errorf("same-filled pages at the limit: %d, %v", n, err)
	}
	st := d.Stats()
	if st.FailedWrites != 2 || st.MemUsedMax != 4*PageSize || st.MemLimit != 3*PageSize {
		t.Errorf("stats %+v", st)
	}
	buf := make([]byte, 5*PageSize)
	randomBytes(rng, buf)
	n, err := d.WriteAt(s, buf, 0)
	wantErrno(t, "long write over the limit", err, syscall.EIO)
	if n != 3*PageSize {
		t.Errorf("%d bytes of a long write were stored, want those before the limit", n)
	}
}

func TestCodecFailureChangesNothing(t *testing.T) {
	d, w, codec := newFailingDevice(t, 1, 4)
	codec.SetRate(0)
	s := w.Scratch(0)
	rng := newRand(t)
	page, got := make([]byte, PageSize), make([]byte, PageSize)
	fillPage(rng, textPage, page)
	mustWrite(t, d, s, page, 0)
	codec.SetRate(codectest.AllCalls)
	next := make([]byte, PageSize)
	fillPage(rng, textPage, next)
	_, err := d.WriteAt(s, next, 0)
	wantErrno(t, "write with a failing codec", err, syscall.EIO)
	_, err = d.WriteAt(s, next[:10], 5)
	wantErrno(t, "partial write with a failing codec", err, syscall.EIO)
	_, err = d.ReadAt(s, got, 0)
	wantErrno(t, "read with a failing codec", err, syscall.EIO)
	codec.SetRate(0)
	mustRead(t, d, s, got, 0)
	if !bytes.Equal(got, page) {
		t.Error("a failing codec changed the page")
	}
	if st := d.Stats(); st.FailedWrites != 2 || st.FailedReads != 1 {
		t.Errorf("stats %+v", st)
	}
}
