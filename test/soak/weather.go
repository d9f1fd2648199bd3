package soak

import (
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"

	"uzram/compress/codectest"
	"uzram/internal/offheap"
	"uzram/store"
)

// How long one kind of trouble lasts, and the pause to the next, at most.
const (
	longestStorm = 40 * time.Millisecond
	longestLull  = 100 * time.Millisecond
)

// storms makes trouble again and again: begin it, end it.
func (s *soak) storms(stream uint64, begin func(*rand.Rand) (end func())) {
	r := s.rand(stream)
	for s.pause(r, longestLull) {
		end := begin(r)
		s.pause(r, longestStorm)
		end()
		s.counts.storms.Add(1)
	}
}

// limits sets memory limits around what is used.
func (s *soak) limits() {
	s.storms(3000, func(r *rand.Rand) func() {
		d := s.disks[r.IntN(disks)]
		used := d.dev.Stats().MemUsedTotal
		d.limited.begin()
		d.dev.SetMemLimit(used*(50+r.Uint64N(60))/100 + store.PageSize)
		return func() {
			d.dev.SetMemLimit(0)
			d.limited.end(s.now())
		}
	})
}

// badCodecs makes codecs fail.
func (s *soak) badCodecs() {
	s.storms(3001, func(r *rand.Rand) func() {
		d := s.disks[r.IntN(disks)]
		d.weather.Lock()
		d.setRate(r.IntN(codectest.AllCalls/3) + 1)
		return func() {
			d.setRate(0)
			d.weather.Unlock()
		}
	})
}

// gears changes how many threads run Go code: one, as many as there are
// processors, or several to each, which the system stops anywhere.
func (s *soak) gears() {
	n := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(n)
	r := s.rand(3003)
	for s.pause(r, time.Second) {
		runtime.GOMAXPROCS([]int{1, n, 4 * n}[r.IntN(3)])
	}
}

// shortages makes the system refuse memory, in builds that can.
func (s *soak) shortages() {
	s.storms(3002, func(r *rand.Rand) func() {
		percent := uint64(r.IntN(100) + 1)
		seed := r.Uint64()
		s.shortage.begin()
		offheap.InjectShortage(func(offheap.Purpose) error {
			if mix(seed^uint64(s.now()))%100 < percent {
				return syscall.ENOMEM
			}
			return nil
		})
		return func() {
			offheap.InjectShortage(nil)
			s.shortage.end(s.now())
		}
	})
}
