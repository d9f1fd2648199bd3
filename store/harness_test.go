package store

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"uzram/compress"
)

func newWorkers(t testing.TB, n int) *Workers {
	t.Helper()
	w, err := NewWorkers(n)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// newDevice is a device of a crew of n, set up with pages pages on the codec of
// -store.codec, checked and reset when the test ends.
func newDevice(t testing.TB, n, pages int) (*Device, *Workers) {
	t.Helper()
	return newDeviceOn(t, n, pages, chosen(t, "lz4"), wrappedCodecs()...)
}

func newDeviceOn(t testing.TB, n, pages int, algorithm string, extra ...compress.Codec) (*Device, *Workers) {
	t.Helper()
	w := newWorkers(t, n)
	d := NewDevice(w, extra...)
	if pages > 0 {
		setUp(t, d, algorithm, pages)
	}
	t.Cleanup(func() {
		if d.Initialised() {
			check(t, d)
		}
		if err := d.Reset(d.Opens()); err != nil {
			t.Error(err)
		}
	})
	return d, w
}

func setUp(t testing.TB, d *Device, algorithm string, pages int) {
	t.Helper()
	if err := d.SetAlgorithm(algorithm); err != nil {
		t.Fatal(err)
	}
	if err := d.SetDisksize(uint64(pages) * PageSize); err != nil {
		t.Fatal(err)
	}
}

func check(t testing.TB, d *Device) {
	t.Helper()
	if r, err := d.Check(); err != nil || len(r.Findings) > 0 {
		t.Errorf("check: %q, %v", r.Findings, err)
	}
}

// Kinds of page contents.
const (
	zeroPage = iota
	inlinePage
	oddElementPage
	textPage
	halfPage
	randomPage
	pageKinds
)

func fillPage(rng *rand.Rand, kind int, page []byte) {
	switch kind {
	case zeroPage:
		clear(page)
	case inlinePage:
		fill(page, 0x0101010101010101*uint64(rng.IntN(256)))
	case oddElementPage:
		fill(page, rng.Uint64()&^(1<<62)|1<<63) // fits no form
	case textPage:
		line := fmt.Sprintf("line %d says nothing new; ", rng.IntN(1000))
		copy(page, bytes.Repeat([]byte(line), len(page)/len(line)+1))
	case halfPage:
		clear(page)
		randomBytes(rng, page[:len(page)/2])
	default:
		randomBytes(rng, page)
	}
}

func randomBytes(rng *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
}

var seedFlag = flag.Uint64("store.seed", 0, "seed of the tests' generators; 0 = another one each time")

func newRand(t testing.TB) *rand.Rand {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func wantErrno(t testing.TB, what string, err error, want syscall.Errno) {
	t.Helper()
	var got syscall.Errno
	errors.As(err, &got)
	if got != want {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func mustWrite(t testing.TB, d *Device, s *Scratch, p []byte, off int64) {
	t.Helper()
	if n, err := d.WriteAt(s, p, off); n != len(p) || err != nil {
		t.Fatalf("write of %d at %d: %d, %v", len(p), off, n, err)
	}
}

func mustRead(t testing.TB, d *Device, s *Scratch, p []byte, off int64) {
	t.Helper()
	if n, err := d.ReadAt(s, p, off); n != len(p) || err != nil {
		t.Fatalf("read of %d at %d: %d, %v", len(p), off, n, err)
	}
}

// besides does what a device does by itself and on command beside its I/O, until
// stopped.
func besides(t testing.TB, d *Device) (stop func()) {
	failing := strings.HasSuffix(d.Algorithm(), "-failing")
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			d.Compact()
			d.MarkIdle()
			if d.RecompAlgorithm(1) != "" {
				if _, err := d.Recompress(RecompressRequest{}); excuse(err, failing) != nil {
					t.Error(err)
				}
			}
			if n%64 == 0 { // a check keeps the others waiting
				d.Stats()
				d.Slots(0, func(SlotState) bool { return true })
				check(t, d)
			}
			runtime.Gosched()
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
