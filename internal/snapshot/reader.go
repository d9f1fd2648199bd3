package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// Reader reads a snapshot and believes nothing of it that is not under a right
// checksum.
type Reader struct {
	in     io.Reader
	head   Head
	buf    []byte // of the section under way
	rest   []byte // its records to come
	number uint32
	sum    uint32 // of all sections so far
	pages  uint64
	bytes  uint64
	err    error // final
}

// NewReader reads the head of a snapshot. Errors wrap one of this package's, or
// are the stream's own.
func NewReader(in io.Reader) (*Reader, error) {
	r := &Reader{in: in, buf: make([]byte, 0, sectionSize)}
	preamble := make([]byte, preambleSize)
	n, err := io.ReadFull(in, preamble)
	if n < len(magic) || string(preamble[:len(magic)]) != magic {
		if err != nil && !ended(err) {
			return nil, err
		}
		return nil, ErrForeign
	}
	if err != nil {
		return nil, cut(err)
	}
	version, zero := binary.LittleEndian.Uint32(preamble[8:]), binary.LittleEndian.Uint32(preamble[12:])
	if version > Version {
		return nil, fmt.Errorf("%w: its format is %d, and %d is the newest that is known here", ErrNewer, version, Version)
	}
	if version < 1 || zero != 0 {
		return nil, fmt.Errorf("%w: its first bytes are wrong", ErrDamaged)
	}
	kind, text, err := r.section()
	if err == nil && kind != headSection {
		err = fmt.Errorf("%w: it has no head", ErrDamaged)
	}
	if err == nil {
		r.head, err = parseHead(text)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Head is what the snapshot says of the device.
func (r *Reader) Head() Head { return r.head }

// Next returns a page, whose data are valid until the next call, or io.EOF after
// the last one, when the end is right too. What may follow the end is not read:
// see Rest.
func (r *Reader) Next() (Page, error) {
	for r.err == nil && len(r.rest) == 0 {
		r.err = r.advance()
	}
	if r.err != nil {
		return Page{}, r.err
	}
	p, rest, err := parsePage(r.rest)
	if err != nil {
		r.err = err
		return Page{}, err
	}
	r.rest = rest
	r.pages++
	r.bytes += uint64(len(p.Data))
	return p, nil
}

// Rest is an error if anything follows the end, which Next has found.
func (r *Reader) Rest() error {
	var b [1]byte
	switch n, err := io.ReadFull(r.in, b[:]); {
	case n > 0:
		return fmt.Errorf("%w: something follows its end", ErrDamaged)
	case err == io.EOF:
		return nil
	default:
		return err
	}
}

// advance reads the next section: its records are in rest then.
func (r *Reader) advance() error {
	kind, body, err := r.section()
	switch {
	case err != nil:
		return err
	case kind == pagesSection && len(body) > 0:
		r.rest = body
		return nil
	case kind != endSection || len(body) != endSize:
		return fmt.Errorf("%w: section %d is of no kind that there is", ErrDamaged, r.number-1)
	}
	pages, bytes := binary.LittleEndian.Uint64(body), binary.LittleEndian.Uint64(body[8:])
	if pages != r.pages || bytes != r.bytes || pages != r.head.Pages {
		return fmt.Errorf("%w: pages are missing", ErrDamaged)
	}
	return io.EOF
}

// section reads one section, whose bytes are valid until the next.
func (r *Reader) section() (kind uint32, body []byte, err error) {
	header := r.buf[:sectionSize]
	if _, err := io.ReadFull(r.in, header); err != nil {
		return 0, nil, cut(err)
	}
	s, ok := parseSection(header)
	if !ok || s.number != r.number || s.length > maxSection {
		return 0, nil, fmt.Errorf("%w: the beginning of section %d is wrong", ErrDamaged, r.number)
	}
	if cap(r.buf) < int(s.length) {
		r.buf = make([]byte, s.length)
	}
	body = r.buf[:s.length]
	if _, err := io.ReadFull(r.in, body); err != nil {
		return 0, nil, cut(err)
	}
	if r.sum = crc32.Update(r.sum, castagnoli, body); r.sum != s.sum {
		return 0, nil, fmt.Errorf("%w: section %d is not what was written", ErrDamaged, r.number)
	}
	r.number++
	return s.kind, body, nil
}

// ended reports whether a read came to the end of its stream.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// cut is what a failed read means within a snapshot.
func cut(err error) error {
	if ended(err) {
		return ErrTruncated
	}
	return err
}
