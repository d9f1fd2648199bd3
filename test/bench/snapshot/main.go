package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"uzram/test/bench/internal/corpus"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/undo"
)

type options struct {
	rounds     int
	mib        int64
	algorithms []string
	binary     string
	dir        string
	corpus     string
}

func main() { program.Main("bench-snapshot", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-snapshot", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 3, "figures are medians over them")
	f.Int64Var(&o.mib, "mib", 1024, "MiB on the disk")
	names := f.String("algorithms", "lz4,zstd", "which to measure")
	f.StringVar(&o.binary, "uzram", filepath.Join("bin", "uzram"), "the program")
	f.StringVar(&o.dir, "dir", "bin", "where the file is, on a disk")
	f.StringVar(&o.corpus, "corpus", filepath.Join("bin", "corpus.bin"), "where the corpus is kept")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.algorithms = strings.Split(*names, ",")
	switch {
	case o.rounds < 1:
		return o, fmt.Errorf("rounds %d: want at least 1", o.rounds)
	case o.mib < 1 || o.mib > 1<<20:
		return o, fmt.Errorf("mib %d: want 1 to %d", o.mib, 1<<20)
	}
	return o, nil
}

// figures are those of one algorithm, by round.
type figures struct {
	algorithm                       string
	save, write, restore, read      report.Series // seconds
	file, memory                    report.Series // MiB
	saveSpeed, restoreSpeed, spread report.Series // MiB of disk a second, twice; file to memory
}

func run(ctx context.Context, o options) (err error) {
	var cleanup undo.Stack
	defer func() { err = errors.Join(err, cleanup.Unwind()) }()
	data, err := corpus.Load(ctx, o.corpus)
	if err != nil {
		return err
	}
	buf, err := directio.Alloc(directio.Chunk)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "bench-snapshot-")
	if err != nil {
		return err
	}
	cleanup.Push("remove "+dir, func() error { return os.RemoveAll(dir) })
	var all []*figures
	for _, name := range o.algorithms {
		f := &figures{algorithm: name}
		all = append(all, f)
		for range o.rounds {
			r := &round{options: o, dir: dir, data: data, buf: buf, undo: &cleanup}
			if err := r.run(ctx, f); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	show(os.Stdout, all)
	return nil
}

func show(w io.Writer, all []*figures) {
	var rows [][]string
	for _, f := range all {
		rows = append(rows, []string{
			f.algorithm, f.save.String(), f.write.String(), f.restore.String(), f.read.String(),
			f.memory.String(), f.file.String(), f.spread.String(),
		})
	}
	report.Table(w, []string{"snapshot", "save s", "file alone s", "restore s", "file alone s", "mem_used_total MiB", "file MiB", "of it"}, rows)
	for _, f := range all {
		report.Ratio(w, "snapshot_save_"+f.algorithm, f.write, f.save)
		report.Ratio(w, "snapshot_restore_"+f.algorithm, f.read, f.restore)
		report.Ratio(w, "snapshot_size_"+f.algorithm, f.memory, f.file)
		report.Figure(w, "snapshot_save_"+f.algorithm, f.saveSpeed, "MiB/s")
		report.Figure(w, "snapshot_restore_"+f.algorithm, f.restoreSpeed, "MiB/s")
	}
}
