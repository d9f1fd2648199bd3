package zramabi

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// fullness is the number of columns that count zspages by how full they are: up
// to 10 %, 20 %, ... 90 %, 99 %, and full.
const fullness = 11

// Class is one row of classes: a size class of the pool.
type Class struct {
	Index, Size    uint64 // bytes of an object
	Fullness       [fullness]uint64
	Allocated      uint64 // objects there is room for
	Used           uint64 // objects
	Pages          uint64
	PagesPerZspage uint64
	Freeable       uint64 // pages that compaction could give back at most
}

// classColumns are the headings and widths of a row.
var classColumns = [...]struct {
	name  string
	width int
}{
	{"class", 5}, {"size", 5},
	{"10%", 9}, {"20%", 9}, {"30%", 9}, {"40%", 9}, {"50%", 9}, {"60%", 9}, {"70%", 9}, {"80%", 9}, {"90%", 9}, {"99%", 9}, {"100%", 9},
	{"obj_allocated", 13}, {"obj_used", 10}, {"pages_used", 10}, {"pages_per_zspage", 16}, {"freeable", 8},
}

func (c *Class) values() (v [len(classColumns)]*uint64) {
	v[0], v[1] = &c.Index, &c.Size
	for i := range c.Fullness {
		v[2+i] = &c.Fullness[i]
	}
	copy(v[2+fullness:], []*uint64{&c.Allocated, &c.Used, &c.Pages, &c.PagesPerZspage, &c.Freeable})
	return v
}

// noTotal marks the columns that cannot be summed.
func noTotal(column int) bool { return column < 2 || classColumns[column].name == "pages_per_zspage" }

// AppendClasses writes a table of classes in the kernel's format to dst: a
// heading, a row each, an empty line, and the sums.
func AppendClasses(dst []byte, classes []Class) []byte {
	dst = appendClassRow(dst, func(i int) string { return classColumns[i].name })
	var sum Class
	total := sum.values()
	for k := range classes {
		values := classes[k].values()
		dst = appendClassRow(dst, func(i int) string { return strconv.FormatUint(*values[i], 10) })
		for i, v := range values {
			*total[i] += *v
		}
	}
	return appendClassRow(append(dst, '\n'), func(i int) string {
		switch {
		case i == 0:
			return "Total"
		case noTotal(i):
			return ""
		}
		return strconv.FormatUint(*total[i], 10)
	})
}

func appendClassRow(dst []byte, text func(column int) string) []byte {
	for i, c := range classColumns {
		dst = appendRight(append(dst, ' '), text(i), c.width)
	}
	return append(dst, '\n')
}

// ParseClasses undoes AppendClasses; the sums are not looked at. EINVAL: no
// table of classes.
func ParseClasses(text string) ([]Class, error) {
	head, rest, _ := strings.Cut(text, "\n")
	heading := appendClassRow(nil, func(i int) string { return classColumns[i].name })
	if strings.Join(strings.Fields(head), " ") != strings.Join(strings.Fields(string(heading)), " ") {
		return nil, fmt.Errorf("classes heading %.60q: %w", head, syscall.EINVAL)
	}
	var classes []Class
	for line := range strings.Lines(rest) {
		if strings.TrimSpace(line) == "" {
			return classes, nil
		}
		var c Class
		values := c.values()
		if err := parseRow("classes", line, columns(values[:]...)); err != nil {
			return nil, err
		}
		classes = append(classes, c)
	}
	return nil, fmt.Errorf("classes without a line of sums: %w", syscall.EINVAL)
}
