package compress

// lz4Dict lays a dictionary before each page, so that an encoder sees one
// buffer. The zero value is no dictionary.
type lz4Dict struct {
	content []byte // as given; what the decoder takes
	window  []byte // the end of content, then the page
	start   int    // where the page begins in window
}

// place returns the dictionary with the page behind it, together at most
// maxPage bytes, and where the page begins; of a longer dictionary the end
// counts. moved says that src[:start] is not what it was at the last call.
// The result is valid until the next call.
func (d *lz4Dict) place(page []byte) (src []byte, start int, moved bool) {
	if d.content == nil {
		return page, 0, false
	}
	start = min(len(d.content), maxPage-len(page))
	if moved = d.window == nil || d.start != start; moved || len(d.window) < start+len(page) {
		if len(d.window) < start+len(page) {
			d.window = make([]byte, start+len(page))
		}
		copy(d.window, d.content[len(d.content)-start:])
		d.start = start
	}
	n := copy(d.window[start:], page)
	return d.window[:start+n], start, moved
}

// size is the memory in bytes beyond the struct; the content is the caller's.
func (d *lz4Dict) size() int { return len(d.window) }
