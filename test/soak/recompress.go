package soak

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"

	"uzram/store"
)

// setSecondary chooses some secondary algorithms, or none.
func (l *landlord) setSecondary(next *life) {
	for priority, n := 1, l.rng.IntN(4); priority <= n; priority++ {
		name := l.home.codes[l.rng.IntN(len(l.home.codes))]
		if err := l.home.dev.SetRecompAlgorithm(priority, name); err != nil {
			l.fail("%s: secondary algorithm %d, %s: %v", l.home.name, priority, name, err)
		}
		next.secondary = priority
	}
}

// recompress asks for a recompression of pages of some kind.
func (s *soak) recompress(r *rand.Rand, d *disk) error {
	l := d.life.Load()
	if l.began.Load() == 0 || l.secondary == 0 {
		return nil
	}
	request := store.RecompressRequest{
		Idle: r.IntN(3) == 0, Huge: r.IntN(3) == 0,
		Priority: r.IntN(l.secondary) + 1, HasPriority: true,
		MaxPages: r.Uint64N(500), HasMaxPages: r.IntN(2) == 0,
	}
	if r.IntN(3) == 0 {
		request.Threshold = r.IntN(3000)
	}
	d.altering.RLock()
	defer d.altering.RUnlock()
	begin, failures := s.now(), d.failures()
	result, err := d.dev.Recompress(request)
	s.counts.replaced.Add(result.Replaced)
	s.counts.overtaken.Add(result.Overtaken)
	if sum := result.Replaced + result.Kept + result.Overtaken + result.Failed; result.Tried != sum {
		return fmt.Errorf("%d pages tried, but %+v", result.Tried, result)
	}
	switch {
	case errors.Is(err, store.ErrResetting) && !l.steady(begin),
		errors.Is(err, syscall.EINVAL) && !l.steady(begin), // not set up, or by now without that algorithm
		errors.Is(err, syscall.ENOMEM) && s.shortage.touched(begin),
		errors.Is(err, syscall.EIO) && d.failures() != failures:
		return nil
	}
	return err
}
