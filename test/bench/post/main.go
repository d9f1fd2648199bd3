package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/undo"
)

type options struct {
	rounds   int
	mib      int64
	time     time.Duration
	seed     uint64
	parts    []string
	variants []*variant
	tmpfs    bool
	dir      string
	corpus   string
	profile  string
}

const (
	partWriteback  = "writeback"
	partRecompress = "recompress"
)

var partNames = []string{partWriteback, partRecompress}

func main() { program.Main("bench-post", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-post", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 3, "interleaved rounds; figures are medians over them")
	f.Int64Var(&o.mib, "mib", 1024, "MiB that are written back in one run")
	f.DurationVar(&o.time, "time", 500*time.Millisecond, "of reads alone, and of reads beside busy threads")
	f.Uint64Var(&o.seed, "seed", 1, "of the pages that are read")
	part := f.String("part", "", "writeback or recompress; empty for both")
	names := f.String("variants", strings.Join(variantNames(), ","), "of writeback, which to measure")
	f.BoolVar(&o.tmpfs, "tmpfs", false, "write back to tmpfs too, which is memory again")
	f.StringVar(&o.dir, "dir", "bin", "where the backing file is, on a disk")
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	f.StringVar(&o.profile, "cpuprofile", "", "a file to write a CPU profile of the whole program to; store.(*live).share is the runs")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.parts = partNames
	if *part != "" {
		o.parts = []string{*part}
	}
	var err error
	if o.variants, err = chosen(strings.Split(*names, ",")); err != nil {
		return o, err
	}
	switch {
	case !slices.Contains(partNames, o.parts[0]):
		return o, fmt.Errorf("part %q is none of %s", *part, partNames)
	case o.rounds < 1 || o.time < time.Millisecond || o.time > time.Minute:
		return o, fmt.Errorf("rounds %d, time %s: want at least 1, and 1ms to 1m", o.rounds, o.time)
	case o.mib < 1 || o.mib > 1<<20:
		return o, fmt.Errorf("mib %d: want 1 to %d", o.mib, 1<<20)
	}
	return o, nil
}

// profile begins a CPU profile, if there is a file for it.
func profile(file string, cleanup *undo.Stack) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	cleanup.Push("end the profile", func() error {
		pprof.StopCPUProfile()
		return f.Close()
	})
	return pprof.StartCPUProfile(f)
}

func run(ctx context.Context, o options) (err error) {
	var cleanup undo.Stack
	defer func() { err = errors.Join(err, cleanup.Unwind()) }()

	data, err := corpus.Load(ctx, o.corpus)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o, data)
	if err != nil {
		return err
	}
	if err := profile(o.profile, &cleanup); err != nil {
		return err
	}
	fmt.Printf("seed %d, %d CPUs\n\n", o.seed, runtime.NumCPU())
	// Nothing below allocates in a loop, and a collection would be timed too.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var lines bytes.Buffer // after all tables
	for _, part := range o.parts {
		measure := b.writeback
		if part == partRecompress {
			measure = b.recompress
		}
		if err := measure(os.Stdout, &lines, &cleanup); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	_, err = lines.WriteTo(os.Stdout)
	return err
}
