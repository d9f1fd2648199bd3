package main

import (
	"fmt"
	"io"
	"math"

	"uzram/test/bench/internal/report"
)

// printTable writes a row for each side of each contest.
func printTable(w io.Writer, all []*contest, page int) {
	first := fmt.Sprintf("codec, %d KiB pages", page>>10)
	head := []string{first, "compress MB/s", "decompress MB/s", "ratio", "stream KiB", "allocations"}
	var rows [][]string
	for _, c := range all {
		for _, s := range c.sides {
			allocations := "-"
			if s == c.own() {
				allocations = number(c.allocations)
			}
			rows = append(rows, []string{
				c.name + ", " + s.name, s.compress.String(), s.decompress.String(),
				decimal(s.ratio()), kib(s.memory), allocations,
			})
		}
	}
	report.Table(w, head, rows)
}

// printLevels writes a row for each level, ours and C's in turns.
func printLevels(w io.Writer, algorithm string, all []*contest) {
	head := []string{algorithm + " level"}
	for _, what := range []string{"compress MB/s", "decompress MB/s", "ratio", "stream KiB"} {
		head = append(head, what, "C's")
		if what != "stream KiB" {
			head = append(head, "ours/C")
		}
	}
	var rows [][]string
	for _, c := range all {
		own, theirs := c.own(), c.c
		rows = append(rows, []string{
			c.name,
			own.compress.String(), theirs.compress.String(), quotient(own.compress, theirs.compress),
			own.decompress.String(), theirs.decompress.String(), quotient(own.decompress, theirs.decompress),
			decimal(own.ratio()), decimal(theirs.ratio()), decimal(own.ratio() / theirs.ratio()),
			kib(own.memory), kib(theirs.memory),
		})
	}
	report.Table(w, head, rows)
}

// printLines writes how each codec of ours compares with C's, and with a library
// under another name.
func printLines(w io.Writer, all []*contest) {
	for _, c := range all {
		own := c.own()
		if c.c != nil {
			pairLines(w, c.name, own, c.c)
		} else {
			report.Figure(w, c.name+"_compress", own.compress, "MB/s")
			report.Figure(w, c.name+"_decompress", own.decompress, "MB/s")
			report.Missing(w, c.name, "C has no such codec")
		}
		if c.library != nil {
			pairLines(w, c.name+"_go", own, c.library)
		}
	}
	for _, c := range all {
		fmt.Fprintf(w, "allocs %s %s\n", report.Name(c.name), number(c.allocations))
	}
}

func pairLines(w io.Writer, name string, own, other *side) {
	one := report.Series{1}
	report.Ratio(w, name+"_compress", roundwise(own.compress, other.compress), one)
	report.Ratio(w, name+"_decompress", roundwise(own.decompress, other.decompress), one)
	report.Ratio(w, name+"_ratio", report.Series{own.ratio()}, report.Series{other.ratio()})
}

// roundwise divides round by round: the two did their work of a round in turns,
// so what the machine did meanwhile is in both.
func roundwise(a, b report.Series) (q report.Series) {
	for i := range min(len(a), len(b)) {
		q = append(q, a[i]/b[i])
	}
	return q
}

func quotient(a, b report.Series) string { return decimal(roundwise(a, b).Median()) }

func decimal(v float64) string { return fmt.Sprintf("%.3f", v) }

// number is n with two decimals at most: the runtime's own few allocations round
// to none.
func number(n float64) string { return fmt.Sprint(math.Round(n*100) / 100) }

func kib(bytes int) string {
	if bytes == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", float64(bytes)/1024)
}
