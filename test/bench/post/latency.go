package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"uzram/test/bench/internal/report"
)

// maxReads bounds the reads of one round.
const maxReads = 1 << 22

// reader reads one random page of a disk after the other, each alone.
type reader struct {
	random *rand.Rand
	page   []byte
	times  []time.Duration
}

func newReader(seed uint64) *reader {
	return &reader{
		random: rand.New(rand.NewPCG(seed, 0)),
		page:   make([]byte, pageSize),
		times:  make([]time.Duration, 0, maxReads),
	}
}

// until reads pages [from, to) until stop is set.
func (r *reader) until(d *disk, from, to int, stop *atomic.Bool) error {
	r.times = r.times[:0]
	for !stop.Load() && len(r.times) < maxReads {
		i := from + r.random.IntN(to-from)
		start := time.Now()
		n, err := d.device.ReadAt(d.scratch, r.page, int64(i)*pageSize)
		took := time.Since(start)
		if err == nil && !d.is(r.page[:n], i) {
			err = errors.New("it is not what was written")
		}
		if err != nil {
			return fmt.Errorf("read page %d: %w", i, err)
		}
		r.times = append(r.times, took)
	}
	return nil
}

// kinds are what goes on beside the reads.
var kinds = [...]string{"nothing else", "busy threads", "the run"}

const (
	alone = iota
	busy
	beside
)

// latency are the reads of one thing measured, in us, by kind.
type latency [len(kinds)]struct{ p50, p99, p999, longest report.Series }

// note adds a round's reads of a kind. It sorts them.
func (l *latency) note(kind int, times []time.Duration) {
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	at := func(perMille int) float64 {
		return float64(times[(len(times)-1)*perMille/1000].Nanoseconds()) / 1e3
	}
	k := &l[kind]
	k.p50, k.p99 = append(k.p50, at(500)), append(k.p99, at(990))
	k.p999, k.longest = append(k.p999, at(999)), append(k.longest, at(1000))
}

// besides reads pages [from, to) alone for a while, beside as many busy threads
// as a crew may have for as long, and beside a run.
func (l *latency) besides(r *reader, d *disk, from, to int, t time.Duration, run func() error) error {
	for kind, background := range [...]func() error{
		alone:  func() error { time.Sleep(t); return nil },
		busy:   func() error { burn(t); return nil },
		beside: run,
	} {
		runtime.GC()
		var stop atomic.Bool
		ended := make(chan error, 1)
		go func() {
			defer stop.Store(true)
			ended <- background()
		}()
		err := r.until(d, from, to, &stop)
		if err = errors.Join(err, <-ended); err != nil {
			return err
		}
		l.note(kind, r.times)
	}
	return nil
}

// burn takes as many CPUs as a crew of two workers or more may, and touches no
// device.
func burn(t time.Duration) {
	var wg sync.WaitGroup
	for range min(runtime.NumCPU(), maxCrew) {
		wg.Go(func() {
			sum := uint64(1)
			for end := time.Now().Add(t); time.Now().Before(end); {
				for range 1000 {
					sum = sum*6364136223846793005 + 1442695040888963407
				}
			}
			sink.Store(sum)
		})
	}
	wg.Wait()
}

var sink atomic.Uint64 // so that burn is not optimised away

// maxCrew is the most workers that a run has.
const maxCrew = 4
