package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	"uzram/compress"
	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/undo"
)

type options struct {
	rounds    int
	time      time.Duration
	size      int64
	empty     int // percent of the pages
	seed      uint64
	faces     []string
	algorithm string
	binary    string
	corpus    string
}

func main() { program.Main("bench-compaction", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-compaction", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds; figures are medians over them")
	f.DurationVar(&o.time, "time", 2*time.Second, "of one round of one kind")
	mib := f.Int64("mib", 256, "MiB of the disk")
	f.IntVar(&o.empty, "empty", 15, "percent of the pages that are empty at a time; from 25 on the device compacts by itself")
	f.Uint64Var(&o.seed, "seed", 1, "of the pages that are read, written and freed")
	face := f.String("face", "", "engine or mount; empty for both")
	f.StringVar(&o.algorithm, "algorithm", compress.DefaultName, "of the disk")
	f.StringVar(&o.binary, "uzram", filepath.Join("bin", "uzram"), "the binary that is mounted")
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.size = *mib << 20
	if *face == "" {
		o.faces = faceNames
	} else {
		o.faces = []string{*face}
	}
	switch {
	case !slices.Contains(faceNames, o.faces[0]):
		return o, fmt.Errorf("face %q is none of %s", *face, faceNames)
	case o.rounds < 1 || o.time < time.Millisecond || o.time > time.Minute:
		return o, fmt.Errorf("rounds %d, time %s: want at least 1, and 1ms to 1m", o.rounds, o.time)
	case o.size < directio.Chunk || o.empty < 1 || o.empty > 90:
		return o, fmt.Errorf("mib %d, empty %d: want at least 1, and 1 to 90", *mib, o.empty)
	}
	return o, nil
}

func run(ctx context.Context, o options) (err error) {
	var cleanup undo.Stack
	defer func() { err = errors.Join(err, cleanup.Unwind()) }()

	data, err := corpus.Load(ctx, o.corpus)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d\n\n", o.seed)
	// Nothing below allocates in a loop, and a collection would be timed too.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var lines bytes.Buffer // after all tables
	for _, name := range o.faces {
		disk, err := faces[name](ctx, o, &cleanup)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all, err := measure(ctx, o, name, disk, data)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		printAll(os.Stdout, name, all)
		printLines(&lines, name, all)
	}
	_, err = lines.WriteTo(os.Stdout)
	return err
}
