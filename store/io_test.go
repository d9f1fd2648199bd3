package store

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"

	"uzram/compress"
)

// A random history of reads, writes, discards of any offset and length, and
// compactions, against a plain array.
func TestHistoryAgainstShadow(t *testing.T) {
	everyAlgorithm(t, func(t *testing.T, name string) {
		const pages, steps = 64, 1500
		rng := newRand(t)
		d, w := newDevice(t, 1, 0)
		if err := d.SetAlgorithm(name); err != nil {
			t.Fatal(err)
		}
		if err := d.SetDisksize(pages * PageSize); err != nil {
			t.Fatal(err)
		}
		s := w.Scratch(0)
		shadow := make([]byte, pages*PageSize)
		got, page := make([]byte, len(shadow)), make([]byte, PageSize)
		for step := range steps {
			off, n := randomRange(rng, len(shadow))
			what := ""
			switch op := rng.IntN(20); {
			case op < 10:
				what = "write"
				buf := make([]byte, n)
				for at := 0; at < n; at += PageSize {
					fillPage(rng, rng.IntN(pageKinds), page)
					copy(buf[at:], page)
				}
				mustWrite(t, d, s, buf, int64(off))
				copy(shadow[off:], buf)
			case op < 13:
				what = "discard"
				if err := d.Discard(s, int64(off), int64(n)); err != nil {
					t.Fatal(err)
				}
				clear(shadow[off : off+n])
			case op < 14:
				what = "compact"
				if err := d.Compact(); err != nil {
					t.Fatal(err)
				}
			default:
				what = "read"
				mustRead(t, d, s, got[:n], int64(off))
				if !bytes.Equal(got[:n], shadow[off:off+n]) {
					t.Fatalf("step %d: %d bytes at %d differ", step, n, off)
				}
			}
			if check(t, d); t.Failed() {
				t.Fatalf("step %d (%s of %d at %d)", step, what, n, off)
			}
		}
		mustRead(t, d, s, got, 0)
		if !bytes.Equal(got, shadow) {
			t.Error("disk differs from its shadow at the end")
		}
	})
}

func randomRange(rng *rand.Rand, size int) (off, n int) {
	if rng.IntN(2) == 0 { // whole pages
		off = rng.IntN(size/PageSize) * PageSize
		return off, min(size-off, (1+rng.IntN(5))*PageSize)
	}
	off = rng.IntN(size)
	return off, min(size-off, 1+rng.IntN(3*PageSize))
}

// Each worker owns every n-th page and checks it while the others, and a
// compaction that never stops, share classes and zspages with it.
func TestWorkersInParallel(t *testing.T) {
	const workers, pages, steps = 4, 256, 3000
	d, w := newDevice(t, workers, pages)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	stop := make(chan struct{})
	var helpers, crew sync.WaitGroup
	helpers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				d.Compact()
				d.MarkIdle()
				d.Stats()
				d.Slots(0, func(SlotState) bool { return true })
			}
		}
	})
	for id := range workers {
		crew.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(id)))
			s := w.Scratch(id)
			shadow := make([]byte, pages*PageSize)
			got := make([]byte, PageSize)
			for range steps {
				i := rng.IntN(pages/workers)*workers + id
				off := i * PageSize
				page := shadow[off : off+PageSize]
				switch rng.IntN(6) {
				case 0:
					if err := d.Discard(s, int64(off), PageSize); err != nil {
						t.Error(err)
					}
					clear(page)
				case 1:
					from := rng.IntN(PageSize)
					to := from + 1 + rng.IntN(PageSize-from)
					randomBytes(rng, page[from:to])
					mustWrite(t, d, s, page[from:to], int64(off+from))
				case 2, 3:
					fillPage(rng, rng.IntN(pageKinds), page)
					mustWrite(t, d, s, page, int64(off))
				default:
					mustRead(t, d, s, got, int64(off))
					if !bytes.Equal(got, page) {
						t.Errorf("page %d differs", i)
						return
					}
				}
			}
		})
	}
	crew.Wait()
	close(stop)
	helpers.Wait()
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
	d, w := newDevice(t, 1, 4)
	s := w.Scratch(0)
	rng := newRand(t)
	page, got := make([]byte, PageSize), make([]byte, PageSize)
	fillPage(rng, textPage, page)
	mustWrite(t, d, s, page, 0)
	l := d.live.Load()
	good := l.streams[0]
	l.streams[0] = failingStream{good}
	next := make([]byte, PageSize)
	fillPage(rng, textPage, next)
	_, err := d.WriteAt(s, next, 0)
	wantErrno(t, "write with a failing codec", err, syscall.EIO)
	_, err = d.WriteAt(s, next[:10], 5)
	wantErrno(t, "partial write with a failing codec", err, syscall.EIO)
	_, err = d.ReadAt(s, got, 0)
	wantErrno(t, "read with a failing codec", err, syscall.EIO)
	l.streams[0] = good
	mustRead(t, d, s, got, 0)
	if !bytes.Equal(got, page) {
		t.Error("a failing codec changed the page")
	}
	if st := d.Stats(); st.FailedWrites != 2 || st.FailedReads != 1 {
		t.Errorf("stats %+v", st)
	}
}

type failingStream struct{ compress.Stream }

func (failingStream) Compress(dst, page []byte) (int, error) { return 0, syscall.EBADMSG }
func (failingStream) Decompress(page, src []byte) error      { return compress.ErrCorrupt }
