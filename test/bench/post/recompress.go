package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"uzram/store"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/undo"
)

const primary, secondary = "lz4", "zstd"

// recompression is what runs gave, one figure for each round.
type recompression struct {
	one, all      speeds        // the runs, with one CPU and with all
	before, after report.Series // MiB of the pool
	saved         report.Series // MiB of objects
	latency       latency
}

// speeds are pages a second of the clock and of CPU time, of a run and of the
// codecs alone on as many threads.
type speeds struct{ wall, cpu, codecsWall, codecsCPU report.Series }

// recompress has runs and the codecs alone go by turns.
func (b *bench) recompress(out io.Writer, lines *bytes.Buffer, _ *undo.Stack) (err error) {
	a := areasOf(min(b.options.mib, int64(len(b.content.data))>>20))
	codecs, err := newCodecs(b.content, a.first)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, codecs.close()) }()
	d, err := b.content.newDisk(a.end, b.buf, func(d *store.Device) error {
		return errors.Join(d.SetAlgorithm(primary), d.SetRecompAlgorithm(1, secondary))
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.device.Reset(0)) }()
	var r recompression
	for round := range b.options.rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d: recompression\n", round+1, b.options.rounds)
		steps := []func() error{
			func() error { return r.run(&r.one, 1, d, a) },
			func() error { return codecs.alone(&r.one, 1) },
			func() error { return r.run(&r.all, runtime.NumCPU(), d, a) },
			func() error { return codecs.alone(&r.all, len(codecs.threads)) },
		}
		for i := range steps {
			if err := b.ctx.Err(); err != nil {
				return err
			}
			if err := steps[(i+round)%len(steps)](); err != nil {
				return err
			}
		}
		if err := r.beside(b, d, a); err != nil {
			return err
		}
	}
	printRecompression(out, &r)
	recompressionLines(lines, &r)
	return nil
}

// run measures a run over the first area by so many CPUs, and what it saved.
func (r *recompression) run(s *speeds, cpus int, d *disk, a areas) error {
	// What a run leaves alone only adds to the memory before and after.
	if err := d.device.Discard(d.scratch, int64(a.first)*pageSize, int64(a.end-a.first)*pageSize); err != nil {
		return err
	}
	if err := d.fill(0, a.first); err != nil {
		return err
	}
	if err := d.device.Compact(); err != nil {
		return err
	}
	before := d.device.Stats().MemUsedTotal
	var result store.RecompressResult
	wall, cpu, err := timed(cpus, func() (err error) {
		result, err = d.device.Recompress(store.RecompressRequest{})
		return err
	})
	if err == nil && int(result.Tried) != d.objects(0, a.first) {
		err = fmt.Errorf("%d pages of %d tried", result.Tried, d.objects(0, a.first))
	}
	if err == nil {
		err = d.device.Compact()
	}
	if err != nil {
		return err
	}
	n := float64(result.Tried)
	s.wall, s.cpu = append(s.wall, n/wall.Seconds()), append(s.cpu, n/cpu.Seconds())
	r.before = append(r.before, float64(before)/(1<<20))
	r.after = append(r.after, float64(d.device.Stats().MemUsedTotal)/(1<<20))
	r.saved = append(r.saved, float64(result.Saved)/(1<<20))
	_, err = d.check(0, a.first)
	return err
}

// alone measures the codecs on the same objects.
func (c *codecs) alone(s *speeds, threads int) error {
	wall, cpu, err := timed(threads, func() error { return c.all(threads) })
	n := float64(len(c.objects))
	s.codecsWall, s.codecsCPU = append(s.codecsWall, n/wall.Seconds()), append(s.codecsCPU, n/cpu.Seconds())
	return err
}

// timed does something on so many CPUs, and returns how long it took and how
// much CPU time, what goes on in the background included.
func timed(cpus int, do func() error) (wall, cpu time.Duration, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
	runtime.GC()
	cpu, start := cpuTime(), time.Now()
	err = do()
	return time.Since(start), cpuTime() - cpu, err
}

// beside measures reads while pages that are not read are recompressed: those
// that are read lose the idle mark.
func (r *recompression) beside(b *bench, d *disk, a areas) error {
	if err := d.fill(0, a.first); err != nil {
		return err
	}
	if err := d.device.MarkIdle(); err != nil {
		return err
	}
	if err := d.fill(a.second, a.end); err != nil {
		return err
	}
	err := r.latency.besides(b.reader, d, a.second, a.end, b.options.time, func() error {
		result, err := d.device.Recompress(store.RecompressRequest{Idle: true})
		if err == nil && int(result.Tried) != d.objects(0, a.first) {
			err = fmt.Errorf("%d pages of %d tried", result.Tried, d.objects(0, a.first))
		}
		return err
	})
	if err != nil {
		return err
	}
	_, err = d.check(0, a.first)
	return err
}

// cpuTime is what the process has used.
func cpuTime() time.Duration {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
