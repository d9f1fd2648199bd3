package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"uzram/compress"
	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/undo"
)

type options struct {
	algorithms []string
	classes    bool
	seed       uint64
	free       int // percent of the pages
	mib        int // of the full disk
	workers    int
	corpus     string
}

func main() { program.Main("bench-memory", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-memory", flag.ContinueOnError)
	f.BoolVar(&o.classes, "classes", false, "only the study of class tables")
	algorithms := f.String("algorithms", "lz4,zstd", "which to measure")
	f.Uint64Var(&o.seed, "seed", 1, "of what is random: which pages are freed, which stores are drawn")
	f.IntVar(&o.free, "free", 70, "percent of the pages to free again")
	f.IntVar(&o.mib, "mib", 1024, "MiB of the disk that is filled to see what lies beside the pool")
	f.IntVar(&o.workers, "workers", runtime.NumCPU(), "that this disk has")
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.algorithms = strings.Split(*algorithms, ",")
	for _, name := range o.algorithms {
		if _, ok := compress.Lookup(name); !ok {
			return o, fmt.Errorf("algorithm %q is none of %s", name, strings.Join(compress.Names(), " "))
		}
	}
	if o.free < 1 || o.free > 99 || o.mib < 1 || o.workers < 1 {
		return o, fmt.Errorf("free %d, mib %d, workers %d: want 1 to 99, and at least 1", o.free, o.mib, o.workers)
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
	if o.classes {
		return study(ctx, os.Stdout, o, data)
	}
	var lines bytes.Buffer // after all tables
	if err := compare(ctx, o, data, os.Stdout, &lines, &cleanup); err != nil {
		return err
	}
	if err := full(ctx, o, data, os.Stdout, &lines); err != nil {
		return err
	}
	_, err = io.Copy(os.Stdout, &lines)
	return err
}
