package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"uzram/test/bench/internal/report"
)

// kind is how collections come about, with one figure for each round.
type kind struct {
	name  string
	load  *load
	force time.Duration // between two forced collections; 0 = none is

	reads, writes report.Series    // a second
	latency       [4]report.Series // us
	longest       report.Series    // read, us
	cycles        report.Series    // a second
	pause         report.Series    // us, the mean
	pauseMax      report.Series    // us
}

var (
	perTenThousand = [4]int{5000, 9900, 9990, 9999}
	latencyNames   = [4]string{"p50", "p99", "p999", "p9999"}
)

// measure gives each kind its turn.
func measure(ctx context.Context, o options, all []*kind) error {
	rounds := o.rounds(len(all))
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		turn := slices.Clone(all)
		if round%2 == 1 {
			slices.Reverse(turn)
		}
		for _, k := range turn {
			if err := k.round(ctx, o.round); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
	}
	return nil
}

func (k *kind) round(ctx context.Context, d time.Duration) error {
	before, err := k.load.disk.pauses()
	if err != nil {
		return err
	}
	stop, forced := make(chan struct{}), make(chan error, 1)
	go func() { forced <- k.collect(stop) }()
	reads, writes, err := k.load.run(ctx, d)
	close(stop)
	if err := errors.Join(err, <-forced); err != nil {
		return err
	}
	after, err := k.load.disk.pauses()
	if err != nil {
		return err
	}
	k.note(reads, writes, before, after, d)
	return nil
}

// collect forces collections until it is stopped.
func (k *kind) collect(stop <-chan struct{}) error {
	if k.force == 0 {
		return nil
	}
	tick := time.NewTicker(k.force)
	defer tick.Stop()
	for {
		if err := k.load.disk.collect(); err != nil {
			return fmt.Errorf("force a collection: %w", err)
		}
		select {
		case <-stop:
			return nil
		case <-tick.C:
		}
	}
}

// note adds a round's figures. It sorts reads.
func (k *kind) note(reads []time.Duration, writes int, before, after pauses, d time.Duration) {
	slices.Sort(reads)
	for i, n := range perTenThousand {
		k.latency[i] = append(k.latency[i], micros(reads[(len(reads)-1)*n/10000]))
	}
	k.longest = append(k.longest, micros(reads[len(reads)-1]))
	k.reads = append(k.reads, float64(len(reads))/d.Seconds())
	k.writes = append(k.writes, float64(writes)/d.Seconds())
	cycles := after.Cycles - before.Cycles
	k.cycles = append(k.cycles, float64(cycles)/d.Seconds())
	if cycles > 0 {
		k.pause = append(k.pause, float64(after.Total-before.Total)/float64(cycles)/1e3)
		k.pauseMax = append(k.pauseMax, float64(after.Max)/1e3)
	}
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
