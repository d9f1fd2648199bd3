package store

import (
	"bytes"
	"encoding/binary"
)

// sameFilled reports whether every 8-byte word of a page is the same, and which.
// The last word tells most pages apart at once; the rest is one comparison of
// the page with itself shifted by a word.
func sameFilled(page []byte) (element uint64, same bool) {
	n := len(page)
	element = binary.LittleEndian.Uint64(page)
	if binary.LittleEndian.Uint64(page[n-8:]) != element {
		return 0, false
	}
	return element, bytes.Equal(page[8:], page[:n-8])
}

// fill makes a page of one repeated word.
func fill(page []byte, element uint64) {
	if element == 0 {
		clear(page)
		return
	}
	binary.LittleEndian.PutUint64(page, element)
	for n := 8; n < len(page); n *= 2 {
		copy(page[n:], page[:n])
	}
}
