package main

import (
	"io"

	"uzram/test/bench/internal/report"
)

func printAll(w io.Writer, face string, all []*kind) {
	head := []string{face + ", us, beside"}
	for _, what := range []string{"read", "write"} {
		for _, p := range perMilleTitles {
			head = append(head, what+" "+p)
		}
		head = append(head, what+" longest")
	}
	var latency, work [][]string
	for _, k := range all {
		row := []string{k.name}
		for i, p := range []percentiles{k.read, k.write} {
			for _, series := range p {
				row = append(row, series.String())
			}
			row = append(row, []report.Series{k.readMax, k.writeMax}[i].String())
		}
		latency = append(latency, row)
		work = append(work, []string{k.name, k.steps.String(), k.calls.String(), k.compacted.String()})
	}
	report.Table(w, head, latency)
	report.Table(w, []string{face + ", a second", "steps", "calls", "pages given back"}, work)
}

// printLines writes the ratios of times, so those with less beside the I/O go
// over those with more: what compaction costs, what a busy thread in its place
// costs, and what is compaction's own.
func printLines(w io.Writer, face string, all []*kind) {
	prefix := "compaction_"
	if face != faceEngine {
		prefix += face + "_"
	}
	alone, busy, compacting := all[0], all[1], all[2]
	for _, pair := range []struct {
		name       string
		less, more *kind
	}{
		{"", alone, compacting},
		{"busy_", alone, busy},
		{"own_", busy, compacting},
	} {
		for i, p := range perMilleNames {
			report.Ratio(w, prefix+pair.name+"read_"+p, pair.less.read[i], pair.more.read[i])
		}
		for i, p := range perMilleNames {
			report.Ratio(w, prefix+pair.name+"write_"+p, pair.less.write[i], pair.more.write[i])
		}
	}
}
