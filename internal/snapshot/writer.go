package snapshot

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"syscall"
)

// Writer writes a snapshot. Pages are gathered and go out about a MiB at a time.
type Writer struct {
	out    io.Writer
	buf    []byte // room for a section's header, and the records behind it
	number uint32
	sum    uint32 // of all sections so far
	want   uint64 // pages
	pages  uint64
	bytes  uint64
}

// NewWriter begins a snapshot on w. Errors are those of w, and EINVAL for a head
// that is too long.
func NewWriter(out io.Writer, h Head) (*Writer, error) {
	text, err := json.Marshal(h)
	if err == nil && len(text) > maxSection {
		err = fmt.Errorf("settings of %d bytes: %w", len(text), syscall.EINVAL)
	}
	if err != nil {
		return nil, err
	}
	w := &Writer{out: out, want: h.Pages, buf: make([]byte, sectionSize, sectionSize+maxSection)}
	preamble := make([]byte, preambleSize)
	copy(preamble, magic)
	binary.LittleEndian.PutUint32(preamble[8:], Version)
	if _, err := out.Write(preamble); err != nil {
		return nil, err
	}
	w.buf = append(w.buf, text...)
	return w, w.write(headSection)
}

// HasRoom reports whether the next Page will not have to write.
func (w *Writer) HasRoom() bool { return len(w.buf)+maxRecord <= cap(w.buf) }

// Room is how many bytes of records, their headers included, go into the present
// section at most.
func (w *Writer) Room() int { return cap(w.buf) - len(w.buf) }

// Page adds a page, whose data may change as soon as it returns.
func (w *Writer) Page(p *Page) error {
	if !w.HasRoom() {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	w.buf = p.appendTo(w.buf)
	w.pages++
	w.bytes += uint64(len(p.Data))
	return nil
}

// Flush writes what was gathered.
func (w *Writer) Flush() error {
	if len(w.buf) == sectionSize {
		return nil
	}
	return w.write(pagesSection)
}

// Close ends the snapshot. It does not close what it is written to. EIO: there
// were not as many pages as the head says.
func (w *Writer) Close() error {
	if w.pages != w.want {
		return fmt.Errorf("%d pages were found, counted are %d: %w", w.pages, w.want, syscall.EIO)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	w.buf = binary.LittleEndian.AppendUint64(w.buf, w.pages)
	w.buf = binary.LittleEndian.AppendUint64(w.buf, w.bytes)
	return w.write(endSection)
}

// write sends the buffer as a section.
func (w *Writer) write(kind uint32) error {
	if w.number == math.MaxUint32 {
		return fmt.Errorf("more than %d sections: %w", w.number, syscall.EFBIG)
	}
	body := w.buf[sectionSize:]
	w.sum = crc32.Update(w.sum, castagnoli, body)
	section{kind, uint32(len(body)), w.number, w.sum}.put(w.buf)
	w.number++
	_, err := w.out.Write(w.buf)
	w.buf = w.buf[:sectionSize]
	return err
}
