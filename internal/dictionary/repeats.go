package dictionary

import "encoding/binary"

const (
	pageSize = 4096

	// shortestRepeat is the length in bytes from which a match within a page is cheap enough that a dictionary could not do
	// much better.
	shortestRepeat = 6

	repeatBits = 12 // of the table of recent positions
)

// repeats finds what a page says twice.
type repeats struct {
	table [1 << repeatBits]uint16
	fresh [pageSize]bool // whether no earlier part of the page holds the byte's surroundings
}

// find sets fresh for a page.
func (r *repeats) find(page []byte) {
	clear(r.table[:])
	for i := range r.fresh {
		r.fresh[i] = true
	}
	for i := 1; i+4 <= len(page); {
		from := r.visit(page, i)
		n := sharedLength(page[from:], page[i:])
		if n < shortestRepeat {
			i++
			continue
		}
		clear(r.fresh[i : i+n])
		for end := i + n; i < end; i++ {
			if i+4 <= len(page) {
				r.visit(page, i)
			}
		}
	}
}

// visit returns the position noted last for what stands at i, and notes i. Position 0 is as good as none: the comparison
// tells.
func (r *repeats) visit(page []byte, i int) int {
	h := binary.LittleEndian.Uint32(page[i:]) * 0x9e3779b1 >> (32 - repeatBits)
	from := int(r.table[h])
	r.table[h] = uint16(i)
	return from
}

// sharedLength returns how many bytes from the start are equal.
func sharedLength(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
