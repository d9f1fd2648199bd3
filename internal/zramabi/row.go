package zramabi

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// Most files hold one line of numbers, each right-aligned in 8 columns, one
// blank between. constant stands for a number that is always 0 and not padded.

// column is one number of such a line.
type column struct {
	value    *uint64
	constant bool
}

func columns(values ...*uint64) []column {
	row := make([]column, len(values))
	for i, v := range values {
		row[i].value = v
	}
	return row
}

func appendRow(dst []byte, row []column) []byte {
	for i, c := range row {
		if i > 0 {
			dst = append(dst, ' ')
		}
		width := 8
		if c.constant {
			width = 1
		}
		dst = appendRight(dst, strconv.FormatUint(*c.value, 10), width)
	}
	return append(dst, '\n')
}

// appendRight writes s right-aligned in width columns.
func appendRight(dst []byte, s string, width int) []byte {
	for n := len(s); n < width; n++ {
		dst = append(dst, ' ')
	}
	return append(dst, s...)
}

// parseRow fills the columns from a line with exactly as many numbers.
func parseRow(file, s string, row []column) error {
	fields := strings.Fields(s)
	if len(fields) != len(row) {
		return fmt.Errorf("%s has %d numbers, want %d: %w", file, len(fields), len(row), syscall.EINVAL)
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %.30q is not a number: %w", file, f, syscall.EINVAL)
		}
		*row[i].value = n
	}
	return nil
}
