package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table writes a Markdown table whose columns line up in plain text too. The
// first column is text, the others are figures. All rows must be as long as
// head.
func Table(w io.Writer, head []string, rows [][]string) {
	width := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	tableRow(w, width, head)
	rule := make([]string, len(head))
	for i := range rule {
		rule[i] = strings.Repeat("-", width[i])
		if i > 0 {
			rule[i] = rule[i][1:] + ":"
		}
	}
	tableRow(w, width, rule)
	for _, row := range rows {
		tableRow(w, width, row)
	}
	fmt.Fprintln(w)
}

func tableRow(w io.Writer, width []int, row []string) {
	for i, cell := range row {
		if i == 0 {
			fmt.Fprintf(w, "| %-*s ", width[i], cell)
		} else {
			fmt.Fprintf(w, "| %*s ", width[i], cell)
		}
	}
	fmt.Fprintln(w, "|")
}
