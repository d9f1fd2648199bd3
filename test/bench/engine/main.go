package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"

	"uzram/compress"
	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/pin"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/undo"
)

type options struct {
	rounds, passes, cpu int
	algorithms          []string
	corpus              string
	profile             string
}

func main() { program.Main("bench-engine", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-engine", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds; figures are medians over them")
	f.IntVar(&o.passes, "passes", 3, "times that a round writes and reads the corpus")
	f.IntVar(&o.cpu, "cpu", -1, "the one CPU to run on; -1 for the last there is")
	algorithms := f.String("algorithms", strings.Join(compress.Names(), ","), "which to measure")
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	f.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the whole run to this file")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.algorithms = strings.Split(*algorithms, ",")
	for _, name := range o.algorithms {
		if _, ok := compress.Lookup(name); !ok {
			return o, fmt.Errorf("algorithm %q is none of %s", name, strings.Join(compress.Names(), " "))
		}
	}
	if o.rounds < 1 || o.passes < 1 {
		return o, fmt.Errorf("rounds %d, passes %d: each must be at least 1", o.rounds, o.passes)
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
	runtime.LockOSThread()
	if err := pin.To(o.cpu); err != nil {
		return err
	}
	buf, err := directio.Alloc(directio.Chunk)
	if err != nil {
		return err
	}
	if o.profile != "" {
		f, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return errors.Join(err, f.Close())
		}
		cleanup.Push("CPU profile", func() error {
			pprof.StopCPUProfile()
			return f.Close()
		})
	}
	return benchEngine(ctx, o, data, buf, &cleanup)
}
