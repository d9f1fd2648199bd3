package store

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"uzram/alloc"
	"uzram/compress/codectest"
)

// Whoever uses a page while it is worked on wins; compaction and marking do not
// use it.
func TestRecompressOvertaken(t *testing.T) {
	rng := newRand(t)
	other := pageOf(rng, textPage)
	for _, c := range []struct {
		what      string
		replaced  uint64
		flags     string
		meanwhile func(d *Device, s *Scratch, page []byte) // page: what is there, and is to be then
	}{
		{"nothing", 1, "r", func(*Device, *Scratch, []byte) {}},
		{"write", 0, ".", func(d *Device, s *Scratch, page []byte) {
			copy(page, other)
			mustWrite(t, d, s, other, 0)
		}},
		{"write of the same", 0, "h", func(d *Device, s *Scratch, page []byte) { mustWrite(t, d, s, page, 0) }},
		{"write of zeros", 0, "s", func(d *Device, s *Scratch, page []byte) {
			clear(page)
			mustWrite(t, d, s, page, 0)
		}},
		{"partial write", 0, "h", func(d *Device, s *Scratch, page []byte) {
			copy(page[5:], "abc")
			mustWrite(t, d, s, page[5:8], 5)
		}},
		{"discard", 0, ".", func(d *Device, s *Scratch, page []byte) {
			clear(page)
			d.Discard(s, 0, PageSize)
		}},
		{"discard of a part", 0, "h", func(d *Device, s *Scratch, page []byte) {
			clear(page[1:4])
			d.Discard(s, 1, 3)
		}},
		{"free hint", 0, ".", func(d *Device, s *Scratch, page []byte) {
			clear(page)
			d.FreeHint(s, 0)
		}},
		{"read", 0, "h", func(d *Device, s *Scratch, page []byte) { mustRead(t, d, s, make([]byte, 1), 7) }},
		{"idle mark", 1, "r", func(d *Device, s *Scratch, page []byte) {
			d.live.Load().table.slots[0].aux.Or(idleMark)
		}},
		{"move", 1, "r", func(d *Device, s *Scratch, page []byte) {
			l := d.live.Load()
			from := l.table.load(0).handle()
			to, err := l.pool.Alloc(alloc.NoWorker, PageSize, 0)
			if err != nil || !(mover{l, new(atomic.Bool)}).Move(0, from, to) {
				t.Error("not moved: ", err)
			}
			l.pool.Free(alloc.NoWorker, from)
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			hook := newHooked(t, "zstd")
			d, w := newSecondaryDevice(t, 1, 1, "lz4", []string{hook.Name()}, hook)
			s, page := w.Scratch(0), symbolPage(rng)
			mustWrite(t, d, s, page, 0)
			hook.compress = func() { c.meanwhile(d, s, page) }
			r := mustRecompress(t, d, RecompressRequest{})
			if r.Tried != 1 || r.Replaced != c.replaced || r.Overtaken != 1-c.replaced {
				t.Errorf("%+v", r)
			}
			check(t, d)
			if flags := slotFlags(t, d, 0); flags != c.flags {
				t.Errorf("the page is %s, want %s", flags, c.flags)
			}
			wantPage(t, d, s, 0, page)
		})
	}
}

// One that the last algorithm does not help is not marked if it is another page
// by then.
func TestRecompressMarksOnlyWhatItSaw(t *testing.T) {
	hook := newHooked(t, "zstd")
	d, w := newSecondaryDevice(t, 1, 1, "lz4", []string{hook.Name()}, hook)
	s, rng := w.Scratch(0), newRand(t)
	mustWrite(t, d, s, pageOf(rng, randomPage), 0)
	hook.compress = func() { mustWrite(t, d, s, symbolPage(rng), 0) }
	if r := mustRecompress(t, d, RecompressRequest{}); r.Overtaken != 1 || slotFlags(t, d, 0) != "h" {
		t.Errorf("%+v, the page is %s", r, slotFlags(t, d, 0))
	}
}

// Runs beside I/O of all kinds and all other passes: no page is ever anything
// but what its only user left there.
func TestRecompressDuringIO(t *testing.T) {
	for _, secondary := range []string{"zstd", "deflate-slow", "lz4hc-waiting"} {
		t.Run(secondary, func(t *testing.T) {
			const workers, pages, steps = 3, 48, 1500
			d, w := newSecondaryDevice(t, workers, pages, chosen(t, "lz4"), []string{secondary, "zstd"})
			stop := besides(t, d)
			var crew, run sync.WaitGroup
			done := make(chan struct{})
			var replaced, overtaken atomic.Uint64
			run.Go(func() {
				for priority := 1; ; priority = 3 - priority {
					r := mustRecompress(t, d, RecompressRequest{Priority: priority, HasPriority: true})
					replaced.Add(r.Replaced)
					overtaken.Add(r.Overtaken)
					select {
					case <-done:
						return
					default:
					}
				}
			})
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			for id := range workers {
				crew.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(id)))
					mine := make([][PageSize]byte, pages/workers)
					// On one processor a run may get its turn late.
					for n := 0; n < steps || replaced.Load() == 0 && n < 100*steps; n++ {
						k := rng.IntN(len(mine))
						pageLife(t, d, w.Scratch(id), rng, int64(id+workers*k), mine[k][:])
					}
				})
			}
			crew.Wait()
			close(done)
			run.Wait()
			stop()
			t.Logf("%d pages replaced, %d overtaken", replaced.Load(), overtaken.Load())
			if replaced.Load() == 0 {
				t.Error("nothing was recompressed")
			}
		})
	}
}

// pageLife reads page i, and may write it, change a part of it or discard it.
// page is what it holds.
func pageLife(t testing.TB, d *Device, s *Scratch, rng *rand.Rand, i int64, page []byte) {
	wantPage(t, d, s, i, page)
	switch rng.IntN(12) {
	case 0, 1:
		copy(page, symbolPage(rng))
		mustWrite(t, d, s, page, i*PageSize)
	case 2:
		fillPage(rng, rng.IntN(pageKinds), page)
		mustWrite(t, d, s, page, i*PageSize)
	case 3, 4:
		part := page[1000:1100]
		randomBytes(rng, part)
		mustWrite(t, d, s, part, i*PageSize+1000)
	case 5:
		clear(page)
		if err := d.Discard(s, i*PageSize, PageSize); err != nil {
			t.Error(err)
		}
	default:
		return
	}
	wantPage(t, d, s, i, page)
}

// A codec that fails, for reading or for writing, costs nothing but the attempt.
func TestRecompressFailingCodec(t *testing.T) {
	const pages = 200
	primary, secondary := failing(t, "lz4"), failing(t, "zstd")
	d, w := newSecondaryDevice(t, 1, pages, primary.Name(), []string{secondary.Name()}, primary, secondary)
	s, rng := w.Scratch(0), newRand(t)
	disk := make([]byte, pages*PageSize)
	for i := range pages {
		page := disk[i*PageSize:][:PageSize]
		if i%2 == 0 {
			copy(page, symbolPage(rng))
		} else {
			fillPage(rng, halfPage, page)
		}
	}
	mustWrite(t, d, s, disk, 0)
	for _, rates := range [][2]int{{codectest.AllCalls, 0}, {0, codectest.AllCalls}, {300, 300}, {0, 0}} {
		primary.SetRate(rates[0])
		secondary.SetRate(rates[1])
		before := d.Stats()
		r, err := d.Recompress(RecompressRequest{})
		wantSums(t, r)
		if (err == nil) != (r.Failed == 0) || (rates == [2]int{}) != (err == nil) {
			t.Errorf("rates %d: %+v, %v", rates, r, err)
		}
		if err != nil {
			wantErrno(t, "codec's failure", err, syscall.EIO)
			if !errors.Is(err, ErrCodec) && !errors.Is(err, ErrCorruptPage) {
				t.Error(err)
			}
		}
		if rates[1] == codectest.AllCalls && (r.Failed != r.Tried || d.Stats() != before) {
			t.Errorf("rates %d: %+v, figures from %+v to %+v", rates, r, before, d.Stats())
		}
		primary.SetRate(0)
		secondary.SetRate(0)
		check(t, d)
		got := make([]byte, len(disk))
		if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
			t.Fatalf("rates %d: data differ", rates)
		}
	}
	if n := d.Stats().HugePages; n != 0 {
		t.Errorf("%d huge pages left", n)
	}
}

func failing(t testing.TB, algorithm string) *codectest.Failing {
	t.Helper()
	return codectest.NewFailing(newHooked(t, algorithm).Codec, rand.Uint64())
}
