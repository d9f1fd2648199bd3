package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"uzram/store"
)

// Config is how to soak.
type Config struct {
	Seed uint64
	For  time.Duration
	Dir  string    // for backing files
	Out  io.Writer // progress lines, and the stacks if all hangs
}

// Numbers of those who take part.
const (
	verbs     = 3 // goroutines that give control verbs
	perCPU    = 4 // workers
	fewest    = 10
	findings  = 20 // listed
	lineEvery = 30 * time.Second
)

// soak is one run.
type soak struct {
	Config
	start    time.Time
	crew     *store.Workers
	disks    []*disk
	workers  []*worker // and behind them the landlords, one for each disk
	shortage spell
	counts   counts

	stop   context.Context // for verbs, weather, prober and landlords
	finish context.CancelFunc
	done   atomic.Bool // for workers, who end last

	mu     sync.Mutex
	actors []*actor
	failed []error
}

// Run soaks, and returns what was wrong.
func Run(c Config) error {
	before, err := takeStock()
	if err != nil {
		return err
	}
	defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	s, err := newSoak(c)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "seed %#x, %d workers, %d disks, for %v\n", c.Seed, len(s.workers)-disks, disks, c.For)
	end := s.watch()
	s.play()
	if !s.isFailed() {
		s.close()
	}
	end()
	fmt.Fprintln(c.Out, s.line())
	if s.isFailed() {
		return fmt.Errorf("seed %#x: %w", c.Seed, errors.Join(s.failed...))
	}
	s.crew, s.disks, s.workers = nil, nil, nil
	return before.compare()
}

func newSoak(c Config) (*soak, error) {
	s := &soak{Config: c, start: time.Now().Add(-time.Second)}
	n := max(fewest, perCPU*runtime.GOMAXPROCS(0))
	var err error
	if s.crew, err = store.NewWorkers(n + disks); err != nil {
		return nil, err
	}
	for i := range n + disks {
		s.workers = append(s.workers, s.newWorker(i))
	}
	for i := range disks {
		d, err := s.newDisk(i)
		if err != nil {
			return nil, err
		}
		s.disks = append(s.disks, d)
	}
	return s, nil
}

// play runs all at once for the time, then ends those who disturb, and the
// workers last.
func (s *soak) play() {
	s.stop, s.finish = context.WithTimeout(context.Background(), s.For)
	defer s.finish()
	n := len(s.workers) - disks
	var others, workers sync.WaitGroup
	var settled sync.WaitGroup
	for i, d := range s.disks {
		settled.Add(1)
		l := &landlord{worker: s.workers[n+i], home: d, actor: s.newActor(d.name + "'s landlord")}
		others.Go(func() { l.run(settled.Done) })
	}
	settled.Wait()
	for _, w := range s.workers[:n] {
		workers.Go(w.run)
	}
	for i := range verbs {
		others.Go(s.newVerbs(i).run)
	}
	p := s.newProber()
	others.Go(p.run)
	others.Go(s.limits)
	others.Go(s.badCodecs)
	others.Go(s.shortages)
	others.Go(s.gears)
	others.Wait()
	s.done.Store(true)
	workers.Wait()
}

// close looks at every disk for the last time and takes it down.
func (s *soak) close() {
	n := len(s.workers) - disks
	for i, d := range s.disks {
		if w := s.workers[n+i]; d.dev.Initialised() {
			w.atRest(d)
			w.emptied(d)
		}
		if err := d.dev.Reset(0); err != nil {
			s.fail("%s: the last reset: %v", d.name, err)
		}
	}
}

// now is the time of the run in nanoseconds, never 0.
func (s *soak) now() int64 { return int64(time.Since(s.start)) }

func (s *soak) rand(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(s.Seed, stream)) }

// fail notes a finding and ends the run.
func (s *soak) fail(format string, args ...any) {
	s.mu.Lock()
	if len(s.failed) < findings {
		s.failed = append(s.failed, fmt.Errorf(format, args...))
	}
	s.mu.Unlock()
	s.done.Store(true)
	s.finish()
}

func (s *soak) isFailed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failed) > 0
}

// pause sleeps for a random time below longest; false when the time is over.
func (s *soak) pause(r *rand.Rand, longest time.Duration) bool {
	t := time.NewTimer(time.Duration(r.Int64N(int64(longest)) + 1))
	defer t.Stop()
	select {
	case <-s.stop.Done():
		return false
	case <-t.C:
		return true
	}
}
