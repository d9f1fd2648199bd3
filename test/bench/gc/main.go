package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"uzram/compress"
	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/undo"
)

type options struct {
	time      time.Duration
	round     time.Duration
	every     time.Duration
	size      int64
	readers   int
	seed      uint64
	algorithm string
	binary    string
	corpus    string
	args      string
}

func main() { program.Main("bench-gc", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-gc", flag.ContinueOnError)
	f.DurationVar(&o.time, "time", time.Minute, "of full load, all kinds together")
	f.DurationVar(&o.round, "round", 4*time.Second, "of one kind before it is another's turn; figures are medians over rounds")
	f.DurationVar(&o.every, "every", 20*time.Millisecond, "between two forced collections")
	mib := f.Int64("mib", 256, "MiB of each disk")
	f.IntVar(&o.readers, "readers", 2, "threads that read, beside one that writes")
	f.Uint64Var(&o.seed, "seed", 1, "of the pages that are read and written")
	f.StringVar(&o.algorithm, "algorithm", compress.DefaultName, "of the disks")
	f.StringVar(&o.binary, "uzram", filepath.Join("bin", "uzram"), "the binary that is mounted")
	f.StringVar(&o.args, "mount", "", "one further argument of uzram mount")
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.size = *mib << 20
	switch {
	case o.round < 10*time.Millisecond || o.round > time.Minute || o.time < o.round:
		return o, fmt.Errorf("time %s, round %s: want a round of 10ms to 1m, and at least one", o.time, o.round)
	case o.every < time.Millisecond || o.readers < 1 || o.readers > 64 || o.size < directio.Chunk:
		return o, fmt.Errorf("every %s, readers %d, mib %d: want at least 1ms, 1 to 64, and at least 1", o.every, o.readers, *mib)
	}
	return o, nil
}

// rounds is how often it is each kind's turn.
func (o options) rounds(kinds int) int { return max(1, int(o.time/(o.round*time.Duration(kinds)))) }

func run(ctx context.Context, o options) (err error) {
	var cleanup undo.Stack
	defer func() { err = errors.Join(err, cleanup.Unwind()) }()
	data, err := corpus.Load(ctx, o.corpus)
	if err != nil {
		return err
	}
	fmt.Printf("seed %d\n\n", o.seed)
	// A collection here would be timed too.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	off, err := newLoad(ctx, o, data, &cleanup, "GOGC=off")
	if err != nil {
		return err
	}
	shipped, err := newLoad(ctx, o, data, &cleanup)
	if err != nil {
		return err
	}
	all := []*kind{{name: "off", load: off}, {name: "shipped", load: shipped}, {name: "forced", load: shipped, force: o.every}}
	if err := measure(ctx, o, all); err != nil {
		return err
	}
	printAll(os.Stdout, all)
	printLines(os.Stdout, all)
	return errors.Join(off.check(), shipped.check())
}
