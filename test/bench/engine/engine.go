package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/stopwatch"
	"uzram/test/bench/internal/undo"
	"uzram/test/internal/zramdev"
)

// contest is one algorithm on one side.
type contest struct {
	algorithm, name string
	side            side
	write, read     report.Series // MB/s, one a round
	memory          zramdev.Memory
	dead            error // why a kernel's side has no more figures
}

// benchEngine compares the store with a kernel device. Without one (no right, no
// module) it measures the store alone and says so. It prints tables, and lines
// for other tools.
func benchEngine(ctx context.Context, o options, data, buf []byte, cleanup *undo.Stack) error {
	kernel, theirs, reason := addKernel(cleanup)
	ours, err := newEngineSide()
	if err != nil {
		return err
	}
	var all []*contest
	for _, a := range o.algorithms {
		all = append(all, &contest{algorithm: a, name: "uzram", side: ours})
		if slices.Contains(theirs, a) {
			all = append(all, &contest{algorithm: a, name: "kernel", side: kernel})
		}
	}
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "engine: round %d of %d\n", round+1, o.rounds)
		// Every other round goes backwards, so that no side always comes first.
		order := slices.Clone(all)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			if c.dead != nil {
				continue
			}
			switch err := c.round(o.passes, data, buf, round == 0); {
			case err != nil && c.side == ours:
				return fmt.Errorf("%s: %w", c.algorithm, err)
			case err != nil:
				c.dead = err
			}
		}
	}
	printEngine(all)
	engineLines(os.Stdout, all, reason)
	return nil
}

// addKernel makes the kernel's side and says which algorithms it has, or why
// there is no such side.
func addKernel(cleanup *undo.Stack) (*kernelSide, []string, string) {
	dev, err := zramdev.Add()
	if err != nil {
		return nil, nil, err.Error()
	}
	cleanup.Push("remove "+dev.Path(), dev.Remove)
	names, err := dev.Algorithms()
	if err != nil {
		return nil, nil, err.Error()
	}
	return &kernelSide{Device: dev}, names, "this kernel does not have the algorithm"
}

// round writes and reads the corpus on a fresh device, passes times, and notes
// the two speeds.
func (c *contest) round(passes int, data, buf []byte, verify bool) error {
	requests := (len(data) + directio.Chunk - 1) / directio.Chunk
	write, read := stopwatch.New(requests), stopwatch.New(requests)
	for range passes {
		if err := c.pass(write, read, data, buf, verify); err != nil {
			return err
		}
		verify = false
	}
	c.write = append(c.write, write.Speed(len(data)))
	c.read = append(c.read, read.Speed(len(data)))
	return nil
}

func (c *contest) pass(write, read *stopwatch.Watch, data, buf []byte, verify bool) (err error) {
	size := int64(len(data))
	if err := c.side.fresh(c.algorithm, size); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.side.done()) }()

	runtime.GC() // what set-up left behind is not to be collected while time is taken
	err = directio.Each(size, func(off int64, n int) (int, error) {
		defer write.Note(int(off/directio.Chunk), time.Now())
		return c.side.WriteAt(data[off:][:n], off)
	})
	if err != nil {
		return err
	}
	err = directio.Each(size, func(off int64, n int) (int, error) {
		defer read.Note(int(off/directio.Chunk), time.Now())
		return c.side.ReadAt(buf[:n], off)
	})
	if err != nil {
		return err
	}
	if verify {
		if err := directio.Check(c.side, buf, data, size); err != nil {
			return err
		}
	}
	c.memory, err = c.side.memory()
	return err
}

func printEngine(all []*contest) {
	var speed, memory [][]string
	for _, c := range all {
		m := c.memory
		speed = append(speed, []string{c.algorithm + ", " + c.name, c.write.String(), c.read.String()})
		memory = append(memory, []string{
			c.algorithm + ", " + c.name, fmt.Sprint(m.OrigDataSize), fmt.Sprint(m.ComprDataSize), fmt.Sprint(m.MemUsedTotal),
			fmt.Sprintf("%.3f", float64(m.OrigDataSize)/float64(m.MemUsedTotal)), fmt.Sprint(m.SamePages), fmt.Sprint(m.HugePages),
		})
	}
	report.Table(os.Stdout, []string{"store, 1 MiB requests", "write MB/s", "read MB/s"}, speed)
	report.Table(os.Stdout, []string{"memory for the corpus", "stored", "compressed", "used", "stored/used", "same-filled", "huge"}, memory)
}

// engineLines writes the ratios to the kernel, and the bare figures of an
// algorithm that it could not be asked for.
func engineLines(lines io.Writer, all []*contest, reason string) {
	for i, c := range all {
		if c.name == "kernel" {
			continue
		}
		why := reason
		if i+1 < len(all) && all[i+1].algorithm == c.algorithm {
			theirs := all[i+1]
			if theirs.dead == nil {
				pairLines(lines, c, theirs)
				continue
			}
			why = theirs.dead.Error()
		}
		report.Figure(lines, "engine_write_"+c.algorithm, c.write, "MB/s")
		report.Figure(lines, "engine_read_"+c.algorithm, c.read, "MB/s")
		report.Missing(lines, "engine_"+c.algorithm, why)
	}
}

// pairLines writes the ratios of ours to theirs, of the same algorithm.
func pairLines(lines io.Writer, ours, theirs *contest) {
	report.Ratio(lines, "engine_write_"+ours.algorithm, ours.write, theirs.write)
	report.Ratio(lines, "engine_read_"+ours.algorithm, ours.read, theirs.read)
	// Bytes: less is better, so theirs go over ours.
	report.Ratio(lines, "engine_memory_"+ours.algorithm,
		report.Series{float64(theirs.memory.MemUsedTotal)}, report.Series{float64(ours.memory.MemUsedTotal)})
	report.Ratio(lines, "engine_compressed_"+ours.algorithm,
		report.Series{float64(theirs.memory.ComprDataSize)}, report.Series{float64(ours.memory.ComprDataSize)})
}
