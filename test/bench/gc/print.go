package main

import (
	"io"
	"slices"

	"uzram/test/bench/internal/report"
)

func printAll(w io.Writer, all []*kind) {
	var latency, pauses [][]string
	for _, k := range all {
		row := []string{k.name}
		for _, series := range k.latency {
			row = append(row, series.String())
		}
		latency = append(latency, append(row, k.longest.String(), k.reads.String(), k.writes.String()))
		pauses = append(pauses, []string{k.name, k.cycles.String(), k.pause.String(), k.pauseMax.String()})
	}
	report.Table(w, []string{"collections", "read 50 %, us", "99 %", "99.9 %", "99.99 %", "longest", "reads a second", "writes a second"}, latency)
	report.Table(w, []string{"collections", "a second", "stopped, us, mean", "longest"}, pauses)
}

// printLines writes ratios of times, those without collections over those with: below 1 is a cost.
func printLines(w io.Writer, all []*kind) {
	off := all[0]
	for _, k := range all[1:] {
		for i, name := range latencyNames {
			report.Ratio(w, "gc_"+k.name+"_read_"+name, off.latency[i], k.latency[i])
		}
		report.Ratio(w, "gc_"+k.name+"_reads", k.reads, off.reads)
		if len(k.pauseMax) > 0 {
			report.Figure(w, "gc_"+k.name+"_pause_max", report.Series{slices.Max(k.pauseMax)}, "us")
		}
	}
}
