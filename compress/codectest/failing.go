package codectest

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"syscall"

	"uzram/compress"
)

// ErrInjected is what a failing codec's Compress fails with; its Decompress
// fails with compress.ErrCorrupt.
var ErrInjected = fmt.Errorf("injected codec failure: %w", syscall.EIO)

// AllCalls is the rate at which every call fails.
const AllCalls = 1000

// Failing is a codec whose calls fail at random, none until SetRate. A call that
// fails leaves garbage in its output. Streams draw from generators of their own,
// which start from the codec's seed.
type Failing struct {
	compress.Codec
	seed     uint64
	streams  atomic.Uint64
	rate     atomic.Int64
	failures atomic.Uint64
}

// NewFailing wraps inner.
func NewFailing(inner compress.Codec, seed uint64) *Failing {
	return &Failing{Codec: inner, seed: seed}
}

// SetRate makes perMille of 1000 calls fail from now on, of all streams.
func (f *Failing) SetRate(perMille int) { f.rate.Store(int64(perMille)) }

// Failures is how many calls have failed.
func (f *Failing) Failures() uint64 { return f.failures.Load() }

// Name implements compress.Codec.
func (f *Failing) Name() string { return f.Codec.Name() + "-failing" }

// NewStream implements compress.Codec; it does not fail by injection.
func (f *Failing) NewStream(p compress.Params) (compress.Stream, error) {
	s, err := f.Codec.NewStream(p)
	if err != nil {
		return nil, err
	}
	return &failingStream{s, f, rand.New(rand.NewPCG(f.seed, f.streams.Add(1)))}, nil
}

type failingStream struct {
	compress.Stream
	codec *Failing
	rng   *rand.Rand
}

// fails draws whether the call fails, and spoils what it was to write.
func (s *failingStream) fails(out []byte) bool {
	if s.rng.Int64N(AllCalls) >= s.codec.rate.Load() {
		return false
	}
	s.codec.failures.Add(1)
	for i := range out {
		out[i] = 0xa5
	}
	return true
}

func (s *failingStream) Compress(dst, page []byte) (int, error) {
	if s.fails(dst) {
		return 0, ErrInjected
	}
	return s.Stream.Compress(dst, page)
}

func (s *failingStream) Decompress(page, src []byte) error {
	if s.fails(page) {
		return compress.ErrCorrupt
	}
	return s.Stream.Decompress(page, src)
}
