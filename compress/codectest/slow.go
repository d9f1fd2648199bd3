package codectest

import (
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"time"

	"uzram/compress"
)

// Of slowOneIn calls one sleeps, for less than slowest; of the others each
// second one yields.
const (
	slowOneIn = 32
	slowest   = 100 * time.Microsecond
)

// Slow is inner as a codec that sleeps or yields for a random moment before
// each call. Streams draw from generators of their own, which start from seed.
func Slow(inner compress.Codec, seed uint64) compress.Codec {
	var streams atomic.Uint64
	return &decorator{inner, "-slow", func(s compress.Stream) compress.Stream {
		return &slowStream{s, rand.New(rand.NewPCG(seed, streams.Add(1)))}
	}}
}

type slowStream struct {
	compress.Stream
	rng *rand.Rand
}

func (s *slowStream) pause() {
	if s.rng.IntN(slowOneIn) == 0 {
		time.Sleep(time.Duration(s.rng.Int64N(int64(slowest))))
	} else if s.rng.IntN(2) == 0 {
		runtime.Gosched()
	}
}

func (s *slowStream) Compress(dst, page []byte) (int, error) {
	s.pause()
	return s.Stream.Compress(dst, page)
}

func (s *slowStream) Decompress(page, src []byte) error {
	s.pause()
	return s.Stream.Decompress(page, src)
}
