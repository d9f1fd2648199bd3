package main

import (
	"io"

	"uzram/test/bench/internal/report"
)

func printBars(w io.Writer, all []*bar) {
	var rows [][]string
	for _, r := range all {
		rows = append(rows, []string{r.name, r.speed.String()})
	}
	report.Table(w, []string{"file alone", "MB/s"}, rows)
}

func printVariants(w io.Writer, all []*variant) {
	var runs [][]string
	for _, v := range all {
		runs = append(runs, []string{
			v.name, v.seconds.String(), v.pages.String(), v.blocks.String(), v.freed.String(),
			v.gone.String(), v.fill.String(), v.back.String(),
		})
	}
	report.Table(w, []string{
		"writeback", "seconds", "pages MB/s", "blocks MB/s", "freed MiB", "of objects", "blocks a page", "read back MB/s",
	}, runs)
	var reads [][]string
	for _, v := range all {
		reads = append(reads, v.latency.rows(v.name)...)
	}
	report.Table(w, latencyHead, reads)
}

var latencyHead = []string{"4 KiB reads, us, beside", "50 %", "99 %", "99.9 %", "longest"}

func (l *latency) rows(name string) (rows [][]string) {
	for kind, k := range l {
		rows = append(rows, []string{
			name + ", " + kinds[kind], k.p50.String(), k.p99.String(), k.p999.String(), k.longest.String(),
		})
	}
	return rows
}

// lines writes the ratios of times: what the run costs reads, and what of it
// busy threads would not.
func (l *latency) lines(w io.Writer, prefix string) {
	report.Ratio(w, prefix+"read_p99", l[alone].p99, l[beside].p99)
	report.Ratio(w, prefix+"own_read_p99", l[busy].p99, l[beside].p99)
	report.Figure(w, prefix+"read_p99_before", l[alone].p99, "us")
	report.Figure(w, prefix+"read_p99_during", l[beside].p99, "us")
}

// variantLines compares pages written back a second with the file's own speed
// in the same state: in requests of 1 MiB, one at a time, and in those of the
// variant.
func variantLines(w io.Writer, all []*variant, raw []*bar) {
	for _, v := range all {
		size, depth := requests(v.batch)
		for _, r := range raw {
			switch {
			case r.fresh != v.fresh:
			case r.depth == 1 && r.size == 1<<20:
				report.Ratio(w, "writeback_"+v.name, v.pages, r.speed)
			case r.size == size && r.depth == depth:
				report.Ratio(w, "writeback_same_requests_"+v.name, v.pages, r.speed)
			}
		}
		report.Figure(w, "writeback_"+v.name+"_freed", v.freed, "MiB")
		report.Figure(w, "writeback_"+v.name+"_read_back", v.back, "MB/s")
		if v.pack {
			report.Ratio(w, "writeback_"+v.name+"_thrift", report.Series{1}, v.fill)
		}
		v.latency.lines(w, "writeback_"+v.name+"_")
	}
}

func printRecompression(w io.Writer, r *recompression) {
	report.Table(w, []string{"kpages", "a second", "a second of CPU"}, [][]string{
		{"recompression, one CPU", kilo(r.one.wall), kilo(r.one.cpu)},
		{"codecs alone, one thread", kilo(r.one.codecsWall), kilo(r.one.codecsCPU)},
		{"recompression, all CPUs", kilo(r.all.wall), kilo(r.all.cpu)},
		{"codecs alone, as many threads", kilo(r.all.codecsWall), kilo(r.all.codecsCPU)},
	})
	report.Table(w, []string{"MiB", "pool before", "pool after", "saved of objects"}, [][]string{
		{primary + " to " + secondary, r.before.String(), r.after.String(), r.saved.String()},
	})
	report.Table(w, latencyHead, r.latency.rows("recompression"))
}

func kilo(s report.Series) string {
	k := make(report.Series, len(s))
	for i, v := range s {
		k[i] = v / 1000
	}
	return k.String()
}

func recompressionLines(w io.Writer, r *recompression) {
	report.Ratio(w, "recompress_per_core", r.one.cpu, r.one.codecsCPU)
	report.Ratio(w, "recompress_wall", r.one.wall, r.one.codecsWall)
	report.Ratio(w, "recompress_all_per_core", r.all.cpu, r.all.codecsCPU)
	report.Ratio(w, "recompress_all_wall", r.all.wall, r.all.codecsWall)
	report.Figure(w, "recompress_all", r.all.wall, "pages/s")
	report.Ratio(w, "recompress_memory", r.before, r.after)
	r.latency.lines(w, "recompress_")
}
