package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"uzram/test/bench/internal/report"
)

// kind is what else runs in a round.
type kind struct {
	name string
	// background is called again and again beside the I/O; nil for none.
	background func(*churner) error
	results
}

// results are one figure for each round.
type results struct {
	read, write       percentiles // us
	steps, calls      report.Series
	compacted         report.Series // pages
	readMax, writeMax report.Series // us
}

// percentiles are p50, p99 and p99.9.
type percentiles [3]report.Series

var (
	perMille       = [3]int{500, 990, 999}
	perMilleNames  = [3]string{"p50", "p99", "p999"}
	perMilleTitles = [3]string{"50 %", "99 %", "99.9 %"}
)

func newKinds() []*kind {
	return []*kind{
		{name: "nothing else"},
		{name: "a busy thread", background: burn},
		{name: "compaction", background: func(c *churner) error { return c.disk.compact() }},
	}
}

// burn takes a CPU for about as long as a small compaction, and touches no
// device.
func burn(c *churner) error {
	var sum byte
	for _, b := range c.data[:16*pageSize] {
		sum += b
	}
	sink.Store(uint32(sum))
	return nil
}

var sink atomic.Uint32 // so that burn is not optimised away

// measure runs rounds of all kinds in turn.
func measure(ctx context.Context, o options, face string, d disk, data []byte) ([]*kind, error) {
	c, err := newChurner(d, data, o.size, o.empty, o.seed)
	if err != nil {
		return nil, err
	}
	all := newKinds()
	lat := newLatencies()
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "%s: round %d of %d\n", face, round+1, o.rounds)
		turn := slices.Clone(all)
		if round%2 == 1 {
			slices.Reverse(turn)
		}
		for _, k := range turn {
			// Each begins with a pool in which holes are spread about.
			if err := c.until(ctx, o.time/4, nil); err != nil {
				return nil, err
			}
			if err := k.round(ctx, c, o.time, lat); err != nil {
				return nil, err
			}
		}
	}
	return all, c.check()
}

// round churns for d and notes the figures.
func (k *kind) round(ctx context.Context, c *churner, d time.Duration, lat *latencies) error {
	lat.reset()
	runtime.GC()
	before, err := c.disk.compacted()
	if err != nil {
		return err
	}
	var stop atomic.Bool
	calls, ended := 0, make(chan error, 1)
	go func() {
		var err error
		for first := true; k.background != nil && err == nil && (first || !stop.Load()); first = false {
			err = k.background(c)
			calls++
		}
		ended <- err
	}()
	err = c.until(ctx, d, lat)
	stop.Store(true)
	if err = errors.Join(err, <-ended); err != nil {
		return err
	}
	after, err := c.disk.compacted()
	if err != nil {
		return err
	}
	k.note(lat, calls, after-before, d)
	return nil
}

func (k *kind) note(lat *latencies, calls int, compacted uint64, d time.Duration) {
	k.readMax = append(k.readMax, k.read.note(lat.read))
	k.writeMax = append(k.writeMax, k.write.note(lat.write))
	k.steps = append(k.steps, float64(len(lat.read))/d.Seconds())
	k.calls = append(k.calls, float64(calls)/d.Seconds())
	k.compacted = append(k.compacted, float64(compacted)/d.Seconds())
}

// note adds a round's percentiles and returns the longest of its times, in us.
// It sorts them.
func (p *percentiles) note(times []time.Duration) (longest float64) {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	for i, n := range perMille {
		p[i] = append(p[i], micros(times[(len(times)-1)*n/1000]))
	}
	return micros(times[len(times)-1])
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }

// latencies are the times of a round, in memory taken before it.
type latencies struct{ read, write []time.Duration }

// maxSteps bounds a round.
const maxSteps = 1 << 22

func newLatencies() *latencies {
	return &latencies{read: make([]time.Duration, 0, maxSteps), write: make([]time.Duration, 0, maxSteps)}
}

func (l *latencies) reset() { l.read, l.write = l.read[:0], l.write[:0] }

// until steps for d, at least once, and notes the times unless lat is nil.
func (c *churner) until(ctx context.Context, d time.Duration, lat *latencies) error {
	end := time.Now().Add(d)
	for first := true; first || time.Now().Before(end); first = false {
		if err := ctx.Err(); err != nil {
			return err
		}
		read, write, err := c.step()
		if err != nil {
			return err
		}
		if lat == nil {
			continue
		}
		if len(lat.read) == maxSteps {
			return fmt.Errorf("more than %d steps in a round: make it shorter", maxSteps)
		}
		lat.read, lat.write = append(lat.read, read), append(lat.write, write)
	}
	return nil
}
