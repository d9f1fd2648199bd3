package compress

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/adler32"
	"io"

	"github.com/klauspost/compress/flate"
)

var deflateRule = rule{
	levels: []span{{-1, 9}}, level: -1,
	winBits: []span{{9, 15}, {-15, -9}}, winBit: -11,
}

// deflateDefault is the level that -1 stands for.
const deflateDefault = 6

// Bytes of the library's contexts; a test holds them against the heap.
const (
	deflateWindowMemory  = 1056 << 10 // an encoder for pages beyond the window
	deflatePlainMemory   = 312 << 10  // an encoder without matches
	deflateDecoderMemory = 44 << 10
)

// deflateMemory is the size in bytes of an encoder, by level.
var deflateMemory = [10]int{
	344 << 10, 800 << 10, 1184 << 10, 1184 << 10, 928 << 10, 1056 << 10, 1056 << 10, 992 << 10, 992 << 10, 1387 << 10,
}

// deflateStream writes and reads deflate streams, with zlib's header and
// checksum around them if asked for.
//
// A match may reach back as far as the window only, so that a decoder with that
// window can read the stream. For a page within the window every level's
// encoder will do; beyond it only the library's windowed one, which knows no
// levels but 0, stored.
type deflateStream struct {
	*deflateReader
	level  int
	window int           // bytes
	within *flate.Writer // for pages up to the window, nil until needed
	beyond *flate.Writer // for larger ones, nil until needed
	plain  *flate.Writer // codes bytes only, for pages without matches; nil at level 0
	out    sliceWriter
}

// deflateReader reads deflate streams.
type deflateReader struct {
	zlib bool // with header and checksum
	dec  io.ReadCloser
	in   bytes.Reader
	tail [1]byte // for the read that finds the stream's end
}

func newDeflateReader(zlib bool) *deflateReader {
	r := &deflateReader{zlib: zlib}
	r.dec = flate.NewReader(&r.in)
	return r
}

func newDeflate(p Params) (Stream, error) {
	s := &deflateStream{
		deflateReader: newDeflateReader(p.WinBits > 0), level: int(p.Level), window: 1 << max(p.WinBits, -p.WinBits),
	}
	if s.level < 0 {
		s.level = deflateDefault
	}
	if s.level != flate.NoCompression {
		var err error
		if s.plain, err = flate.NewWriter(&s.out, flate.HuffmanOnly); err != nil {
			return nil, err
		}
		if _, err := s.attempt(s.plain, make([]byte, DstSize(PageSize)), make([]byte, PageSize)); err != nil {
			return nil, err
		}
	}
	return s, warmUp(s, s)
}

// encoder returns the encoder for a page of n bytes.
func (s *deflateStream) encoder(n int) (w *flate.Writer, err error) {
	if n <= s.window || s.level == flate.NoCompression {
		if s.within == nil {
			s.within, err = flate.NewWriter(&s.out, s.level)
		}
		return s.within, err
	}
	if s.beyond == nil {
		s.beyond, err = flate.NewWriterWindow(&s.out, s.window)
	}
	return s.beyond, err
}

func (s *deflateStream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	w, err := s.encoder(len(page))
	if err != nil {
		return 0, err
	}
	n, err := s.attempt(w, dst, page)
	if s.plain != nil && (err == nil && n > len(page) || errors.Is(err, errFull) && len(dst) >= len(page)) {
		// Where it finds no matches the library stores the page as it is, even
		// if few of the 256 byte values occur in it.
		n, err = s.attempt(s.plain, dst, page)
	}
	if errors.Is(err, errFull) {
		return 0, ErrIncompressible
	}
	return n, err
}

// attempt writes the page to dst by one of the encoders.
func (s *deflateStream) attempt(w *flate.Writer, dst, page []byte) (int, error) {
	s.out = sliceWriter{buf: dst}
	err := s.deflate(w, page)
	s.out.buf = nil
	return s.out.n, err
}

// deflate writes the page to s.out.
func (s *deflateStream) deflate(w *flate.Writer, page []byte) error {
	if s.zlib {
		head := zlibHeader(s.window)
		if _, err := s.out.Write(head[:]); err != nil {
			return err
		}
	}
	w.Reset(&s.out)
	if _, err := w.Write(page); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if !s.zlib {
		return nil
	}
	var sum [zlibSumSize]byte
	binary.BigEndian.PutUint32(sum[:], adler32.Checksum(page))
	_, err := s.out.Write(sum[:])
	return err
}

func (s *deflateStream) decompressor() (Decompressor, error) { return newDeflateReader(s.zlib), nil }

func (r *deflateReader) Decompress(page, src []byte) error {
	if !r.zlib {
		return r.inflate(page, src)
	}
	if len(src) < zlibHeaderSize+zlibSumSize || !isZlibHeader(src) {
		return ErrCorrupt
	}
	end := len(src) - zlibSumSize
	if err := r.inflate(page, src[zlibHeaderSize:end]); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(src[end:]) != adler32.Checksum(page) {
		return ErrCorrupt
	}
	return nil
}

// inflate fills page from a raw stream, which must be the whole of src.
func (r *deflateReader) inflate(page, src []byte) error {
	r.in.Reset(src)
	err := r.dec.(flate.Resetter).Reset(&r.in, nil)
	n := 0
	for err == nil && n <= len(page) {
		into := page[n:]
		if len(into) == 0 {
			into = r.tail[:] // a byte here is one too many
		}
		var k int
		k, err = r.dec.Read(into)
		n += k
	}
	rest := r.in.Len()
	r.in.Reset(nil)
	if err != io.EOF || n != len(page) || rest != 0 {
		return ErrCorrupt
	}
	return nil
}

func (s *deflateStream) MemoryUsage() int {
	n := deflateDecoderMemory
	if s.within != nil {
		n += deflateMemory[s.level]
	}
	if s.beyond != nil {
		n += deflateWindowMemory
	}
	if s.plain != nil {
		n += deflatePlainMemory
	}
	return n
}

func (r *deflateReader) MemoryUsage() int { return deflateDecoderMemory }

// Close has nothing to release; the decoder's would return what it last met.
func (r *deflateReader) Close() error { return nil }
