package store

import (
	"bytes"
	"errors"
	"runtime"
	"syscall"
	"testing"
)

// writtenBack is a device whose pages are all on the backing device, and what is
// in them.
func writtenBack(t *testing.T, workers, pages int) (*Device, *Workers, *memBacking, []byte) {
	t.Helper()
	d, w, b := newBackedDevice(t, workers, pages, pages, false)
	rng := newRand(t)
	var disk []byte
	for range pages {
		disk = append(disk, pageOf(rng, textPage)...)
	}
	mustWrite(t, d, w.Scratch(0), disk, 0)
	mustWriteback(t, d, everyPage(pages))
	return d, w, b, disk
}

// A request that fails leaves no fetch behind, wherever it fails.
func TestReadAheadEndsWithItsRequest(t *testing.T) {
	const pages = 3 * fetchAhead
	d, w, b, disk := writtenBack(t, 1, pages)
	s, got := w.Scratch(0), make([]byte, len(disk))
	for bad := range pages {
		lost := d.live.Load().table.load(uint64(bad)).block()
		b.fail = func(_ bool, block, _ uint64) error {
			if block == lost {
				return syscall.EIO
			}
			return nil
		}
		if n, err := d.ReadAt(s, got, 0); n != bad*PageSize || !errors.Is(err, ErrBacking) || !bytes.Equal(got[:n], disk[:n]) {
			t.Fatalf("page %d is lost: %d bytes, %v", bad, n, err)
		}
		b.fail = nil
		if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
			t.Fatalf("after a failure at page %d the disk differs", bad)
		}
	}
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
}

// A page that is written while its fetch waits reads as it was written.
func TestReadAheadOfAPageInUse(t *testing.T) {
	const other, pages = fetchAhead, fetchAhead + 4
	d, w, b, disk := writtenBack(t, 3, pages)
	jobs := d.live.Load().fetch.jobs
	entered, release := make(chan struct{}, fetchers), make(chan struct{})
	b.fail = func(bool, uint64, uint64) error {
		entered <- struct{}{}
		<-release
		return nil
	}
	type answer struct {
		p   []byte
		err error
	}
	read := func(worker, from, to int) chan answer {
		done := make(chan answer, 1)
		go func() {
			p := make([]byte, (to-from)*PageSize)
			_, err := d.ReadAt(w.Scratch(worker), p, int64(from)*PageSize)
			done <- answer{p, err}
		}()
		return done
	}
	first := read(0, 0, fetchAhead)
	<-entered
	for len(jobs) > 0 { // all fetchers are busy then
		runtime.Gosched()
	}
	second := read(1, other, pages)
	for len(jobs) < pages-other {
		runtime.Gosched()
	}
	for i := range PageSize {
		disk[(other+1)*PageSize+i]++
	}
	mustWrite(t, d, w.Scratch(2), disk[(other+1)*PageSize:][:PageSize], (other+1)*PageSize)
	go func() {
		for range entered {
		}
	}()
	close(release)
	for from, done := range map[int]chan answer{0: first, other: second} {
		if a := <-done; a.err != nil || !bytes.Equal(a.p, disk[from*PageSize:][:len(a.p)]) {
			t.Errorf("pages from %d on: %v, or something else than was written", from, a.err)
		}
	}
	close(entered)
}
