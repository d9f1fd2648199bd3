package main

import (
	"fmt"
	"os"

	"uzram/test/bench/internal/report"
)

// printAll writes a table for each face, the latencies at depth 1, and the
// ratios.
func printAll(all []*target, picked []workload) {
	for _, group := range []struct {
		title string
		show  func(workload) bool
		cell  func(*target, workload) string
	}{
		{"speed", func(w workload) bool { return w.depth == 1 }, speedCell},
		{"speed", func(w workload) bool { return w.depth > 1 }, speedCell},
		{"latency in us, mean / 99 %", func(w workload) bool { return w.depth == 1 && w.block == 4<<10 }, latencyCell},
	} {
		head := []string{group.title}
		var shown []workload
		for _, w := range picked {
			if !group.show(w) {
				continue
			}
			shown = append(shown, w)
			name := w.name
			if group.title == "speed" {
				name += " " + w.unit()
			}
			head = append(head, name)
		}
		if len(shown) == 0 {
			continue
		}
		var rows [][]string
		for _, t := range all {
			row := []string{t.name}
			for _, w := range shown {
				row = append(row, group.cell(t, w))
			}
			rows = append(rows, row)
		}
		report.Table(os.Stdout, head, rows)
	}
	printRatios(all, picked)
}

func speedCell(t *target, w workload) string { return t.series(w).String() }

func latencyCell(t *target, w workload) string {
	var mean, p99 report.Series
	for _, r := range t.results[w.name] {
		mean, p99 = append(mean, r.MeanMicros), append(p99, r.P99Micros)
	}
	if len(mean) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f / %.1f", mean.Median(), p99.Median())
}

// printRatios writes the lines for other tools, and why some are not there.
func printRatios(all []*target, picked []workload) {
	byName := map[string]*target{}
	for _, t := range all {
		byName[t.name] = t
	}
	for _, c := range comparisons {
		ours, theirs := byName[c.ours], byName[c.theirs]
		if ours == nil || theirs == nil {
			continue
		}
		prefix := "mount_" + c.face + "_" + c.peer
		if theirs.dead != nil {
			report.Missing(os.Stdout, prefix, theirs.dead.Error())
			continue
		}
		for _, w := range picked {
			report.Ratio(os.Stdout, prefix+"_"+w.name, ours.series(w), theirs.series(w))
		}
	}
}
