package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"

	"uzram/store"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// keptPages at most stay in memory and are read all the time.
const keptPages = 64 << 20 / pageSize

// bench is what all measurements share.
type bench struct {
	ctx     context.Context
	options options
	content *content
	reader  *reader
	buf     []byte
}

func newBench(ctx context.Context, o options, data []byte) (*bench, error) {
	buf, err := directio.Alloc(directio.Chunk)
	if err != nil {
		return nil, err
	}
	return &bench{ctx: ctx, options: o, content: newContent(data), reader: newReader(o.seed), buf: buf}, nil
}

// areas are the parts of a disk, in pages: what is written back alone, what is
// written back beside reads, and what is read.
type areas struct{ first, second, end int }

func areasOf(mib int64) areas {
	first := int(mib << 20 / pageSize)
	second := first + max(1, first/4)
	return areas{first, second, second + min(first, keptPages)}
}

// writeback has the raw file and the variants go by turns.
func (b *bench) writeback(out io.Writer, lines *bytes.Buffer, cleanup *undo.Stack) error {
	a := areasOf(b.options.mib)
	file, err := newFile(b.options.dir, int64(a.second)*pageSize, b.options.tmpfs, cleanup)
	if err != nil {
		return err
	}
	raw := bars()
	if _, err := file.raw(b.content.data, file.size, directio.Chunk, 1); err != nil {
		return err // all blocks allocated
	}
	for round := range b.options.rounds {
		if err := b.bars(file, raw, int64(a.first)*pageSize, round); err != nil {
			return err
		}
		turn := slices.Clone(b.options.variants)
		if round%2 == 1 {
			slices.Reverse(turn)
		}
		for _, v := range turn {
			fmt.Fprintf(os.Stderr, "round %d of %d: writeback, %s\n", round+1, b.options.rounds, v.name)
			if err := b.ctx.Err(); err != nil {
				return err
			}
			if err := b.state(file, v.fresh); err != nil {
				return err
			}
			if err := v.round(b, file, a); err != nil {
				return fmt.Errorf("%s: %w", v.name, err)
			}
		}
	}
	printBars(out, raw)
	printVariants(out, b.options.variants)
	variantLines(lines, b.options.variants, raw)
	return nil
}

// bars takes a round of the raw speeds.
func (b *bench) bars(file *backingFile, all []*bar, n int64, round int) error {
	turn := slices.Clone(all)
	if round%2 == 1 {
		slices.Reverse(turn)
	}
	for _, r := range turn {
		fmt.Fprintf(os.Stderr, "round %d of %d: file, %s\n", round+1, b.options.rounds, r.name)
		if err := b.ctx.Err(); err != nil {
			return err
		}
		if err := b.state(file, r.fresh); err != nil {
			return err
		}
		took, err := file.raw(b.content.data, n, r.size, r.depth)
		if err != nil {
			return err
		}
		r.speed = append(r.speed, speed(n, took))
	}
	return nil
}

// state makes the file sparse, or has all its blocks allocated.
func (b *bench) state(file *backingFile, fresh bool) error {
	if fresh {
		return file.fresh()
	}
	if full, err := file.allocated(); full || err != nil {
		return err
	}
	_, err := file.raw(b.content.data, file.size, directio.Chunk, 1)
	return err
}

// round sets up a disk, measures, and reads everything back.
func (v *variant) round(b *bench, file *backingFile, a areas) (err error) {
	d, err := b.content.newDisk(a.end, b.buf, func(d *store.Device) error { return v.set(d, file.path) })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.device.Reset(0)) }()
	if err := d.fill(0, a.end); err != nil {
		return err
	}
	runtime.GC()
	before := d.device.Stats()
	start := time.Now()
	r, err := d.writeBack(0, a.first)
	took := time.Since(start)
	if err != nil {
		return err
	}
	v.note(r, took, before, d.device.Stats())
	if err := v.latency.besides(b.reader, d, a.second, a.end, b.options.time, func() error {
		_, err := d.writeBack(a.first, a.second)
		return err
	}); err != nil {
		return err
	}
	took, err = d.check(0, a.second)
	v.back = append(v.back, speed(int64(a.second)*pageSize, took))
	return err
}

// note takes down the figures of a run.
func (v *variant) note(r store.WritebackResult, took time.Duration, before, after store.Stats) {
	v.seconds = append(v.seconds, took.Seconds())
	v.pages = append(v.pages, speed(int64(r.Written)*pageSize, took))
	v.blocks = append(v.blocks, speed(int64(r.Blocks)*pageSize, took))
	freed := float64(before.MemUsedTotal) - float64(after.MemUsedTotal)
	v.freed = append(v.freed, freed/(1<<20))
	v.gone = append(v.gone, freed/float64(r.Freed))
	v.fill = append(v.fill, float64(r.Blocks)/float64(r.Written))
}

// writeBack writes pages [from, to) back, all of them.
func (d *disk) writeBack(from, to int) (store.WritebackResult, error) {
	r, err := d.device.Writeback(store.WritebackRequest{Pages: []store.PageRange{{First: uint64(from), Last: uint64(to - 1)}}})
	if err == nil && int(r.Written) != d.objects(from, to) {
		err = fmt.Errorf("%d pages of %d written back", r.Written, d.objects(from, to))
	}
	return r, err
}

// speed is in MB/s.
func speed(bytes int64, took time.Duration) float64 { return float64(bytes) / 1e6 / took.Seconds() }
