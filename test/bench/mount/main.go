package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"

	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/undo"
)

type options struct {
	rounds    int
	runtime   time.Duration
	size      int64
	only      *regexp.Regexp
	face      string
	peer      string
	algorithm string
	binary    string
	corpus    string
}

func main() { program.Main("bench-mount", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-mount", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds; figures are medians over them")
	f.DurationVar(&o.runtime, "runtime", 2*time.Second, "of each fio job")
	mib := f.Int64("mib", 512, "MiB of each disk: half to read, half to write")
	only := f.String("only", "", "workloads whose name matches this regular expression")
	f.StringVar(&o.face, "face", "", "image or loop; empty for both")
	f.StringVar(&o.peer, "peer", "", "compare with this peer alone: zram, tmpfs, nbdkit or alone; empty for all")
	f.StringVar(&o.algorithm, "algorithm", "lz4", "of uzram and of the kernel device")
	f.StringVar(&o.binary, "uzram", filepath.Join("bin", "uzram"), "the binary to measure")
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	o.size = *mib << 20
	switch {
	case o.rounds < 1 || o.runtime < 10*time.Millisecond:
		return o, fmt.Errorf("rounds %d, runtime %s: want at least 1 and 10ms", o.rounds, o.runtime)
	case o.size < 4*directio.Chunk || o.size%(2*directio.Chunk) != 0:
		return o, fmt.Errorf("%d MiB a disk: want an even number, 4 or more", *mib)
	case !slices.Contains([]string{"", faceImage, faceLoop}, o.face):
		return o, fmt.Errorf("face %q is neither %s nor %s", o.face, faceImage, faceLoop)
	case len(o.targets()) == 0:
		return o, fmt.Errorf("there is no peer %q", o.peer)
	case len(o.workloads()) == 0:
		return o, fmt.Errorf("no workload matches %q", *only)
	}
	return o, nil
}

func (o options) workloads() (picked []workload) {
	for _, w := range workloads {
		if o.only.MatchString(w.name) {
			picked = append(picked, w)
		}
	}
	return picked
}

func (o options) targets() (picked []*target) {
	for _, t := range targets() {
		if (o.face == "" || slices.Contains(t.faces, o.face)) && t.compared(o.peer) {
			picked = append(picked, t)
		}
	}
	return picked
}

func run(ctx context.Context, o options) (err error) {
	var cleanup undo.Stack
	defer func() { err = errors.Join(err, cleanup.Unwind()) }()

	m := &machine{algorithm: o.algorithm, size: o.size}
	if m.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if m.data, err = corpus.Load(ctx, o.corpus); err != nil {
		return err
	}
	if m.scratch, err = os.MkdirTemp("", "uzram-bench-"); err != nil {
		return err
	}
	// Only what is empty goes: should a mount have stayed, it is not walked into.
	cleanup.Push("scratch directory", func() error { return removeScratch(m.scratch) })

	all := o.targets()
	for i, t := range all {
		dir := filepath.Join(m.scratch, strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		cleanup.Push(t.name, t.down)
		fmt.Fprintln(os.Stderr, "setting up", t.name)
		if err := t.up(ctx, m, dir); err != nil {
			return err
		}
	}
	if err := measureAll(ctx, o, m, all); err != nil {
		return err
	}
	printAll(all, o.workloads())
	return nil
}

// measureAll runs every workload on every target in each round, one at a time.
func measureAll(ctx context.Context, o options, m *machine, all []*target) error {
	for round := range o.rounds {
		for _, w := range o.workloads() {
			fmt.Fprintf(os.Stderr, "round %d of %d: %s\n", round+1, o.rounds, w.name)
			for i := range all {
				// Each round begins with another target.
				t := all[(i+round)%len(all)]
				if t.dead != nil {
					continue
				}
				if err := t.measure(ctx, m, w, o.runtime); err != nil {
					return err
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
	}
	for _, t := range all {
		if t.dead != nil {
			continue
		}
		if err := t.verify(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// removeScratch removes the mount points and pipes, and nothing below them.
func removeScratch(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return os.Remove(dir)
}
