package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"uzram/compress"
	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/pin"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/undo"
)

type options struct {
	rounds, page, every, cpu int
	subjects                 []subject
	levels                   string // the algorithm over whose levels to go, "" for none
	corpus                   string
}

// errNoC says what the program lacks.
var errNoC = errors.New("built without C's codecs, which ours are compared with: " +
	"build with -tags clib, or run make bench-codecs")

func main() { program.Main("bench-codecs", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-codecs", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds; figures are medians over them")
	f.IntVar(&o.page, "page", compress.PageSize, "bytes of a page: 4096, 8192, 16384, 32768 or 65536")
	f.IntVar(&o.every, "every", 8, "take every n-th 64 KiB of the corpus")
	f.IntVar(&o.cpu, "cpu", -1, "the one CPU to run on; -1 for the last there is")
	algorithms := f.String("algorithms", strings.Join(compress.Names(), ","), "which to measure")
	f.StringVar(&o.levels, "levels", "", "instead, a table over all levels of one of "+strings.Join(leveled(), " "))
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	names := strings.Split(*algorithms, ",")
	for _, name := range names {
		if _, ok := compress.Lookup(name); !ok {
			return o, fmt.Errorf("algorithm %q is none of %s", name, strings.Join(compress.Names(), " "))
		}
	}
	o.subjects = chosen(names)
	if o.levels != "" {
		var err error
		if o.subjects, err = byLevel(o.levels); err != nil {
			return o, err
		}
	}
	if !slices.Contains([]int{4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10}, o.page) {
		return o, fmt.Errorf("page %d is none of 4096, 8192, 16384, 32768, 65536", o.page)
	}
	if o.rounds < 1 || o.every < 1 {
		return o, fmt.Errorf("rounds %d, every %d: each must be at least 1", o.rounds, o.every)
	}
	return o, nil
}

func run(ctx context.Context, o options) error {
	if !haveC {
		return errNoC
	}
	data, err := corpus.Load(ctx, o.corpus)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := pin.To(o.cpu); err != nil {
		return err
	}
	pages := sample(data, o.page, o.every)
	fmt.Printf("%d pages of %d KiB\n\n", pages.len(), o.page>>10)
	if o.levels == "" {
		all, err := measure(ctx, o.rounds, o.subjects, pages)
		if err != nil {
			return err
		}
		printTable(os.Stdout, all, o.page)
		printLines(os.Stdout, all)
		return nil
	}
	var all []*contest
	for _, s := range o.subjects { // one by one, for the contexts of all are large
		one, err := measure(ctx, o.rounds, []subject{s}, pages)
		if err != nil {
			return err
		}
		all = append(all, one...)
	}
	printLevels(os.Stdout, o.levels, all)
	return nil
}

// measure opens the subjects, has the rounds go by turns, and closes them.
func measure(ctx context.Context, rounds int, subjects []subject, pages *set) (all []*contest, err error) {
	var cleanup undo.Stack
	defer func() { err = errors.Join(err, cleanup.Unwind()) }()
	for _, s := range subjects {
		c, err := newContest(s, pages, &cleanup)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	for round := range rounds {
		for _, c := range all {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			fmt.Fprintf(os.Stderr, "round %d of %d: %s %s\n", round+1, rounds, c.algorithm, c.name)
			if err := c.round(); err != nil {
				return nil, fmt.Errorf("%s, %s: %w", c.algorithm, c.name, err)
			}
		}
	}
	return all, nil
}
