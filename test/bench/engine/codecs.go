package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"uzram/compress"
	"uzram/test/bench/internal/report"
)

// coder is the part of a stream that is measured.
type coder interface {
	Compress(dst, page []byte) (int, error)
	Decompress(page, src []byte) error
}

// trial is one codec, ours or a reference, with what came out of it.
type trial struct {
	algorithm, name      string
	coder                coder
	compress, decompress report.Series // MB/s of uncompressed data, one a round
	out                  []byte        // compressed pages, each at its own place of slot bytes
	length               []int         // bytes of each compressed page
}

// slot is the room for a compressed page.
var slot = compress.DstSize(compress.PageSize)

// benchCodecs compares each codec with its reference: page by page, on pages
// that are not same-filled.
func benchCodecs(ctx context.Context, o options, data []byte, lines io.Writer) error {
	pages := sample(data, o.every)
	var all []*trial
	for _, name := range o.algorithms {
		codec, _ := compress.Lookup(name)
		stream, err := codec.NewStream(compress.Params{})
		if err != nil {
			return err
		}
		defer stream.Close()
		all = append(all, newTrial(name, "uzram", stream, len(pages)))
		if ref, ok := references[name]; ok {
			coder, err := ref.open()
			if err != nil {
				return fmt.Errorf("%s: %w", ref.name, err)
			}
			all = append(all, newTrial(name, ref.name, coder, len(pages)))
		}
	}
	for round := range o.rounds {
		fmt.Fprintf(os.Stderr, "codecs: round %d of %d\n", round+1, o.rounds)
		for i := range all {
			if err := ctx.Err(); err != nil {
				return err
			}
			if round%2 == 1 {
				i = len(all) - 1 - i
			}
			if err := all[i].round(pages); err != nil {
				return fmt.Errorf("%s, %s: %w", all[i].algorithm, all[i].name, err)
			}
		}
	}
	printCodecs(all)
	codecLines(lines, all)
	return nil
}

// sample is the pages to be compressed: of every n-th 64 KiB of data, in which
// pages are of one kind, those that are not same-filled.
func sample(data []byte, every int) (pages [][]byte) {
	const region = 64 << 10
	for at := 0; at < len(data); at += region * every {
		for p := at; p < min(at+region, len(data)); p += compress.PageSize {
			page := data[p : p+compress.PageSize]
			if !bytes.Equal(page[8:], page[:len(page)-8]) {
				pages = append(pages, page)
			}
		}
	}
	return pages
}

func newTrial(algorithm, name string, c coder, pages int) *trial {
	return &trial{algorithm: algorithm, name: name, coder: c, out: make([]byte, pages*slot), length: make([]int, pages)}
}

// round compresses and decompresses all pages and notes the two speeds. What
// comes out is compared with what went in, outside of the time taken.
func (t *trial) round(pages [][]byte) error {
	compressed, err := timed(pages, func(i int) (err error) {
		t.length[i], err = t.coder.Compress(t.out[i*slot:][:slot], pages[i])
		return err
	})
	if err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	page := make([]byte, compress.PageSize)
	decompressed, err := timed(pages, func(i int) error {
		return t.coder.Decompress(page, t.packed(i))
	})
	if err != nil {
		return fmt.Errorf("decompress: %w", err)
	}
	t.compress, t.decompress = append(t.compress, compressed), append(t.decompress, decompressed)

	for i := range pages {
		if err := t.coder.Decompress(page, t.packed(i)); err != nil || !bytes.Equal(page, pages[i]) {
			return fmt.Errorf("page %d came back different (%v)", i, err)
		}
	}
	return nil
}

const (
	// A figure is taken from so many passes over all pages, and for so long, at
	// least: that of a fast codec on few pages would be all noise.
	leastPasses = 3
	leastTime   = 200 * time.Millisecond
	// group is how many pages are timed together.
	group = 4
)

// timed does all pages, again and again, and returns the speed in MB/s.
func timed(pages [][]byte, do func(i int) error) (float64, error) {
	watch := newStopwatch((len(pages) + group - 1) / group)
	begin := time.Now()
	for pass := 0; pass < leastPasses || time.Since(begin) < leastTime; pass++ {
		for g := range watch.fastest {
			start := time.Now()
			for i := g * group; i < min((g+1)*group, len(pages)); i++ {
				if err := do(i); err != nil {
					return 0, fmt.Errorf("page %d: %w", i, err)
				}
			}
			watch.note(g, start)
		}
	}
	return watch.speed(len(pages) * compress.PageSize), nil
}

func (t *trial) packed(i int) []byte { return t.out[i*slot:][:t.length[i]] }

// ratio is uncompressed over compressed size. A page that did not get smaller
// counts in full, since it is stored as it is.
func (t *trial) ratio() float64 {
	stored := 0
	for _, n := range t.length {
		stored += min(n, compress.PageSize)
	}
	return float64(len(t.length)*compress.PageSize) / float64(stored)
}

func printCodecs(all []*trial) {
	var rows [][]string
	for _, t := range all {
		rows = append(rows, []string{t.algorithm + ", " + t.name, t.compress.String(), t.decompress.String(), fmt.Sprintf("%.3f", t.ratio())})
	}
	report.Table(os.Stdout, []string{"codec, 4 KiB pages", "compress MB/s", "decompress MB/s", "ratio"}, rows)
}

// codecLines writes the ratios of each codec to its reference.
func codecLines(lines io.Writer, all []*trial) {
	for i, t := range all {
		if t.name != "uzram" {
			continue
		}
		name := "codec_" + t.algorithm
		if i+1 < len(all) && all[i+1].algorithm == t.algorithm {
			ref := all[i+1]
			report.Ratio(lines, name+"_compress", t.compress, ref.compress)
			report.Ratio(lines, name+"_decompress", t.decompress, ref.decompress)
			report.Ratio(lines, name+"_ratio", report.Series{t.ratio()}, report.Series{ref.ratio()})
			continue
		}
		report.Figure(lines, name+"_compress", t.compress, "MB/s")
		report.Figure(lines, name+"_decompress", t.decompress, "MB/s")
		report.Missing(lines, name, "no reference in Go")
	}
}
