package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
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

// newDevice is a device of a crew of n, set up with pages pages, checked and
// reset when the test ends.
func newDevice(t testing.TB, n, pages int) (*Device, *Workers) {
	t.Helper()
	w := newWorkers(t, n)
	d := NewDevice(w)
	if pages > 0 {
		if err := d.SetDisksize(uint64(pages) * PageSize); err != nil {
			t.Fatal(err)
		}
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
		fill(page, rng.Uint64()|1<<63)
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

func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
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

func everyAlgorithm(t *testing.T, f func(t *testing.T, name string)) {
	for _, name := range compress.Names() {
		t.Run(name, func(t *testing.T) { f(t, name) })
	}
}
