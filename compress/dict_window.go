package compress

// dictWindow lays a dictionary before each page, so that an encoder sees one
// buffer. The zero value is no dictionary.
type dictWindow struct {
	content []byte
	slack   int    // zeros to follow the page, which is copied then in any case
	window  []byte // the end of content, then the page
	start   int    // where the page begins in window
}

// place returns the dictionary with the page behind it, together at most
// maxPage bytes, and the zeros behind that, and where the page begins; of a
// longer dictionary the end counts. moved says that the dictionary in src is not
// what it was at the last call. The result is valid until the next call.
func (d *dictWindow) place(page []byte) (src []byte, start int, moved bool) {
	if d.content == nil && d.slack == 0 {
		return page, 0, false
	}
	start = min(len(d.content), maxPage-len(page))
	end := start + len(page)
	if len(d.window) < end+d.slack {
		d.window, d.start = make([]byte, end+d.slack), -1
	}
	if d.start != start {
		copy(d.window, d.content[len(d.content)-start:])
		d.start, moved = start, d.content != nil
	}
	copy(d.window[start:], page)
	clear(d.window[end : end+d.slack])
	return d.window[:end+d.slack], start, moved
}

// size is the memory in bytes beyond the struct; the content is the caller's.
func (d *dictWindow) size() int { return len(d.window) }
