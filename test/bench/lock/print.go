package main

import (
	"io"

	"uzram/test/bench/internal/report"
)

// printContention writes a table for each figure, a column for each lock, and
// the ratios to lines. The contests of a row follow each other as kinds do.
func printContention(out, lines io.Writer, all []*contest) {
	head := make([]string, 1, 1+len(kinds))
	for _, k := range kinds {
		head = append(head, k.name)
	}
	for _, t := range []struct {
		title string
		value func(*contest) report.Series
	}{
		{"operations/ms", func(c *contest) (perMs report.Series) {
			for _, v := range c.operations {
				perMs = append(perMs, v/1000)
			}
			return perMs
		}},
		{"longest wait, us", func(c *contest) report.Series { return c.longest }},
		{"99 % of waits, us", func(c *contest) report.Series { return c.p99 }},
		{"most / least of a goroutine", func(c *contest) report.Series { return c.unfairness }},
	} {
		head[0] = t.title
		var table [][]string
		for i := 0; i < len(all); i += len(kinds) {
			line := []string{all[i].row.name()}
			for _, c := range all[i:][:len(kinds)] {
				line = append(line, t.value(c).String())
			}
			table = append(table, line)
		}
		report.Table(out, head, table)
	}
	for i := 0; i < len(all); i += len(kinds) {
		contentionLines(lines, all[i], all[i+1], all[i+2])
	}
}

// contentionLines writes how park stands to sync.RWMutex, and how much longer
// one waits at worst for a lock that spins. Of waits and unfairness less is
// better, so theirs go over ours.
func contentionLines(lines io.Writer, park, mutex, spin *contest) {
	name := park.row.name()
	report.Ratio(lines, "lock_throughput_"+name, park.operations, mutex.operations)
	report.Ratio(lines, "lock_longest_wait_"+name, mutex.longest, park.longest)
	report.Ratio(lines, "lock_p99_wait_"+name, mutex.p99, park.p99)
	report.Ratio(lines, "lock_fairness_"+name, mutex.unfairness, park.unfairness)
	report.Ratio(lines, "lock_spin_longest_wait_"+name, spin.longest, park.longest)
}

func printClass(out, lines io.Writer, all []*classRun) {
	var table [][]string
	for _, r := range all {
		table = append(table, []string{
			r.name(), r.fifo.String(), r.fifoLongest.String(), r.normal.String(), r.normalLongest.String(),
		})
	}
	report.Table(out, []string{"one CPU", "FIFO turns", "longest wait, ms", "normal turns", "longest wait, ms"}, table)
	for i := 0; i < len(all); i += len(kinds) {
		suffix := ""
		if !all[i].uncut {
			suffix = "_preempted_by_go"
		}
		park, mutex, spin := all[i], all[i+1], all[i+2]
		classLine(lines, "lock_fifo_rwmutex_over_park_longest_wait"+suffix, mutex, park)
		classLine(lines, "lock_fifo_spin_over_park_longest_wait"+suffix, spin, park)
	}
}

func classLine(lines io.Writer, name string, theirs, park *classRun) {
	for _, r := range []*classRun{park, theirs} {
		if r.dead != nil {
			report.Missing(lines, name, r.dead.Error())
			return
		}
	}
	report.Ratio(lines, name, theirs.fifoLongest, park.fifoLongest)
}
