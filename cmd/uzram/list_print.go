package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
)

// listStyle is how the list is printed.
type listStyle struct {
	columns    []listColumn
	bytes      bool // sizes in bytes
	noHeadings bool
}

// text is a cell as it is shown.
func (s listStyle) text(c listColumn, v cell) string {
	switch {
	case v.none:
		return ""
	case c.kind != sizeCell:
		return v.text
	case s.bytes:
		return strconv.FormatInt(v.number, 10)
	}
	return shortSize(v.number)
}

// table prints aligned columns, numbers to the right.
func (s listStyle) table(w io.Writer, rows []listedRow) error {
	lines := make([][]string, 0, len(rows)+1)
	var heading []string
	for _, c := range s.columns {
		heading = append(heading, c.name)
	}
	widths := make([]int, len(s.columns))
	for _, r := range rows {
		line := make([]string, len(s.columns))
		for i, c := range s.columns {
			line[i] = printable(s.text(c, c.value(r)), " ")
			widths[i] = max(widths[i], utf8.RuneCountInString(line[i]))
		}
		lines = append(lines, line)
	}
	for i, c := range s.columns {
		widths[i] = columnWidth(c, widths[i])
	}
	if !s.noHeadings {
		lines = append([][]string{heading}, lines...)
	}
	for _, line := range lines {
		if _, err := io.WriteString(w, s.align(line, widths)); err != nil {
			return err
		}
	}
	return nil
}

// sizeWidth is how wide zramctl makes a column of sizes whose heading is shorter.
const sizeWidth = 5

// columnWidth is zramctl's rule for the width of a column with values of that width.
func columnWidth(c listColumn, values int) int {
	switch heading := len(c.name); {
	case values < heading:
		return heading
	case c.kind == sizeCell && heading < sizeWidth:
		return max(values, sizeWidth)
	}
	return values
}

// align puts a line together. The last column is not filled up if it is text.
func (s listStyle) align(line []string, widths []int) string {
	var b strings.Builder
	for i, text := range line {
		if i > 0 {
			b.WriteByte(' ')
		}
		pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
		switch {
		case s.columns[i].kind != textCell:
			b.WriteString(pad + text)
		case i < len(line)-1:
			b.WriteString(text + pad)
		default:
			b.WriteString(text)
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// raw prints the values with a blank between; blanks within them become \x20.
func (s listStyle) raw(w io.Writer, rows []listedRow) error {
	if !s.noHeadings {
		var names []string
		for _, c := range s.columns {
			names = append(names, c.name)
		}
		if _, err := fmt.Fprintln(w, strings.Join(names, " ")); err != nil {
			return err
		}
	}
	for _, r := range rows {
		values := make([]string, len(s.columns))
		for i, c := range s.columns {
			values[i] = printable(s.text(c, c.value(r)), "")
		}
		if _, err := fmt.Fprintln(w, strings.Join(values, " ")); err != nil {
			return err
		}
	}
	return nil
}

// printable writes what a terminal would not show as it is, and a backslash, as \xNN; a blank only if it is not in keep.
func printable(text, keep string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if c < ' ' || c == 0x7f || c == '\\' || c == ' ' && keep == "" {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// json prints one object with an array of devices. A size is text unless bytes are asked for; what there is not is null.
func (s listStyle) json(w io.Writer, rows []listedRow) error {
	var b bytes.Buffer
	b.WriteString("{\n   \"devices\": [")
	for i, r := range rows {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n      {")
		for k, c := range s.columns {
			if k > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "\n         %q: %s", strings.ToLower(c.name), s.jsonValue(c, c.value(r)))
		}
		b.WriteString("\n      }")
	}
	b.WriteString("\n   ]\n}\n")
	_, err := w.Write(b.Bytes())
	return err
}

func (s listStyle) jsonValue(c listColumn, v cell) string {
	text := s.text(c, v)
	switch {
	case v.none:
		return "null"
	case c.kind == numberCell, c.kind == sizeCell && s.bytes:
		return text
	}
	quoted, _ := json.Marshal(text) // a string has no error
	return string(quoted)
}

// shortSize writes bytes as zramctl does: in the largest unit that leaves 1 or more, with one digit behind the point unless
// that is 0.
func shortSize(n int64) string {
	if n < 0 {
		return "-" + shortSize(-max(n, -1<<62))
	}
	unit := 0
	if n > 0 {
		unit = (bits.Len64(uint64(n)) - 1) / 10
	}
	shift := 10 * unit
	whole, rest := uint64(n)>>shift, uint64(n)&(1<<shift-1)
	for shift > 40 { // for the product below to fit
		rest, shift = rest>>10, shift-10
	}
	tenths := ((rest*1000)>>shift + 50) / 100
	if tenths == 10 {
		whole, tenths = whole+1, 0
	}
	text := strconv.FormatUint(whole, 10)
	if tenths > 0 {
		text += "." + strconv.FormatUint(tenths, 10)
	}
	return text + "BKMGTPE"[unit:unit+1]
}
