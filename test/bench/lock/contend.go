package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"uzram/internal/park"
	"uzram/test/bench/internal/report"
)

const pageBytes = 4096

// contest is one lock in one row: a figure for each round.
type contest struct {
	row
	kind

	operations   report.Series // per second
	longest, p99 report.Series // microseconds
	unfairness   report.Series // most / least operations of a goroutine
}

// contend measures each lock in each row, in rounds.
func contend(ctx context.Context, o options) ([]*contest, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it runs between the contests instead
	var all []*contest
	for _, r := range o.rows() {
		for _, k := range kinds {
			all = append(all, &contest{row: r, kind: k})
		}
	}
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "contention: round %d of %d\n", round+1, o.rounds)
		// Every other round goes backwards, so that no lock always comes first.
		order := slices.Clone(all)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			runtime.GOMAXPROCS(c.procs)
			if err := c.round(o.goroutines, c.time(o.time)); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", c.row.name(), c.kind.name, err)
			}
		}
	}
	return all, nil
}

// round lets the goroutines contend for d and notes the figures.
func (c *contest) round(goroutines int, d time.Duration) error {
	a := newArena(c.row, c.make(c.slots))
	crew := make([]*contender, goroutines)
	for i := range crew {
		crew[i] = &contender{rng: rand.NewPCG(uint64(i), 1), waiter: park.NewWaiter(), wrote: make([]uint64, c.slots)}
	}
	runtime.GC()
	a.start = time.Now()
	a.end = d
	var wg sync.WaitGroup
	for _, g := range crew {
		wg.Go(func() { g.contend(a) })
	}
	wg.Wait()

	var all waits
	total, least, most := uint64(0), crew[0].operations, uint64(0)
	for _, g := range crew {
		all.add(&g.waits)
		total += g.operations
		least, most = min(least, g.operations), max(most, g.operations)
	}
	c.operations = append(c.operations, float64(total)/d.Seconds())
	c.longest = append(c.longest, micros(all.longest))
	c.p99 = append(c.p99, micros(all.percentile(99)))
	c.unfairness = append(c.unfairness, float64(most)/float64(least))
	return a.check(crew)
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// arena is what one contest is about: pages, each under its lock.
type arena struct {
	row
	locks
	pages []page
	start time.Time
	end   time.Duration // since start
}

// page counts, under the lock, how often it was written.
type page struct {
	data  [pageBytes]byte
	wrote uint64
}

func newArena(r row, l locks) *arena { return &arena{row: r, locks: l, pages: make([]page, r.slots)} }

// check compares each page's count with what the crew did.
func (a *arena) check(crew []*contender) error {
	for i := range a.pages {
		var want uint64
		for _, g := range crew {
			want += g.wrote[i]
		}
		if got := a.pages[i].wrote; got != want {
			return fmt.Errorf("page %d counts %d writes of %d: two writers at once", i, got, want)
		}
	}
	return nil
}

// contender is one goroutine's own.
type contender struct {
	rng        *rand.PCG
	waiter     *park.Waiter
	buffer     [pageBytes]byte
	waits      waits
	operations uint64
	wrote      []uint64 // a page
}

// contend writes and reads pages at random, one after the other and one at least,
// until the time is over.
func (g *contender) contend(a *arena) {
	for {
		random := g.rng.Uint64()
		i := int(random >> 32 % uint64(a.slots))
		read := int(uint32(random)%100) < a.readPercent
		asked := time.Since(a.start)
		if asked >= a.end && g.operations > 0 {
			return
		}
		p := &a.pages[i]
		if read {
			a.rlock(i, g.waiter)
			g.waits.note(time.Since(a.start) - asked)
			copy(g.buffer[:a.bytes], p.data[:])
			a.runlock(i)
		} else {
			a.lock(i, g.waiter)
			g.waits.note(time.Since(a.start) - asked)
			copy(p.data[:a.bytes], g.buffer[:])
			p.wrote++
			a.unlock(i)
			g.wrote[i]++
		}
		g.operations++
	}
}
