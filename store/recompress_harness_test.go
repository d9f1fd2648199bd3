package store

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"uzram/compress"
)

// symbolPage is what only an algorithm that codes entropy makes smaller: random
// over 32 symbols, so without repeats.
func symbolPage(rng *rand.Rand) []byte {
	page := make([]byte, PageSize)
	for i := range page {
		page[i] = 'A' + byte(rng.Uint32()&31)
	}
	return page
}

func pageOf(rng *rand.Rand, kind int) []byte {
	page := make([]byte, PageSize)
	fillPage(rng, kind, page)
	return page
}

// newSecondaryDevice is a device with secondary algorithms from priority 1 up.
func newSecondaryDevice(t testing.TB, n, pages int, primary string, secondary []string, extra ...compress.Codec) (*Device, *Workers) {
	t.Helper()
	d, w := newDeviceOn(t, n, 0, primary, append(extra, wrappedCodecs()...)...)
	for i, name := range secondary {
		if err := d.SetRecompAlgorithm(i+1, name); err != nil {
			t.Fatal(err)
		}
	}
	setUp(t, d, primary, pages)
	return d, w
}

func mustRecompress(t testing.TB, d *Device, r RecompressRequest) RecompressResult {
	t.Helper()
	result, err := d.Recompress(r)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	wantSums(t, result)
	return result
}

func wantSums(t testing.TB, r RecompressResult) {
	t.Helper()
	if r.Tried != r.Replaced+r.Kept+r.Overtaken+r.Failed || r.Incompressible > r.Kept {
		t.Errorf("figures do not add up: %+v", r)
	}
}

func wantPage(t testing.TB, d *Device, s *Scratch, i int64, want []byte) {
	t.Helper()
	got := make([]byte, PageSize)
	mustRead(t, d, s, got, i*PageSize)
	if !bytes.Equal(got, want) {
		t.Errorf("page %d differs", i)
	}
}

// flagsOf are the letters of block_state for each slot, one after another.
func flagsOf(t testing.TB, d *Device) (flags string) {
	t.Helper()
	for s := range d.live.Load().table.slots {
		flags += slotFlags(t, d, uint64(s)) + " "
	}
	return flags[:len(flags)-1]
}

func slotFlags(t testing.TB, d *Device, i uint64) (flags string) {
	t.Helper()
	err := d.Slots(i, func(s SlotState) bool {
		if s.Index != i {
			return false
		}
		for _, f := range []struct {
			set    bool
			letter string
		}{{s.Same, "s"}, {s.WrittenBack, "w"}, {s.Huge, "h"}, {s.Idle, "i"}, {s.Recompressed, "r"}, {s.Incompressible, "n"}} {
			if f.set {
				flags += f.letter
			}
		}
		return false
	})
	if err != nil {
		t.Fatal(err)
	}
	if flags == "" {
		return "."
	}
	return flags
}

// hooked is a codec that calls back: compress before each page that it
// compresses, decompress before each that it reads.
type hooked struct {
	compress.Codec
	compress, decompress func()
}

func newHooked(t testing.TB, algorithm string) *hooked {
	t.Helper()
	inner, ok := compress.Lookup(algorithm)
	if !ok {
		t.Fatalf("no algorithm %s", algorithm)
	}
	return &hooked{Codec: inner, compress: func() {}, decompress: func() {}}
}

func (h *hooked) Name() string { return h.Codec.Name() + "-hooked" }

func (h *hooked) NewStream(p compress.Params) (compress.Stream, error) {
	s, err := h.Codec.NewStream(p)
	return &hookedStream{s, h}, err
}

type hookedStream struct {
	compress.Stream
	codec *hooked
}

func (s *hookedStream) Compress(dst, page []byte) (int, error) {
	s.codec.compress()
	return s.Stream.Compress(dst, page)
}

func (s *hookedStream) Decompress(page, src []byte) error {
	s.codec.decompress()
	return s.Stream.Decompress(page, src)
}
