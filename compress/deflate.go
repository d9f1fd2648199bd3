package compress

import (
	"encoding/binary"
	"hash/adler32"
	"reflect"
)

var deflateRule = rule{
	levels: []span{{-1, 9}}, level: -1,
	winBits: []span{{9, 15}, {-15, -9}}, winBit: -11,
}

// deflateDefault is the level that -1 stands for.
const deflateDefault = 6

// deflateStream writes and reads deflate streams, with zlib's header and
// checksum around them if asked for.
//
// A match reaches back as far as the window at most, so that a decoder with that
// window can read the stream.
type deflateStream struct {
	deflateReader
	enc  *deflateEncoder // nil for level 0, which stores
	room room
}

// deflateReader reads deflate streams.
type deflateReader struct {
	inflater
	winBits int // as in Params
}

func newDeflate(p Params) (Stream, error) {
	s := &deflateStream{deflateReader: deflateReader{winBits: int(p.WinBits)}}
	level := int(p.Level)
	if level < 0 {
		level = deflateDefault
	}
	if level > 0 {
		s.enc = newDeflateEncoder(level, 1<<max(s.winBits, -s.winBits))
	}
	return s, warmUp(s, s)
}

func (s *deflateStream) Compress(dst, page []byte) (int, error) {
	if len(page) > maxPage {
		return 0, errPageSize
	}
	out := s.room.lend(dst, len(page))
	n := 0
	if s.winBits > 0 {
		head := zlibHeader(s.winBits)
		n = copy(out, head[:])
	}
	if s.enc != nil {
		n = s.enc.encode(out, page, n)
	} else {
		w := deflateWriter{dst: out, o: n}
		w.stored(page, 1)
		n = w.o
	}
	if s.winBits > 0 {
		binary.BigEndian.PutUint32(out[n:], adler32.Checksum(page))
		n += zlibSumSize
	}
	return s.room.settle(dst, out, n)
}

func (s *deflateStream) MemoryUsage() int {
	n := int(reflect.TypeFor[deflateStream]().Size()) + s.room.size()
	if s.enc != nil {
		n += s.enc.memory()
	}
	return n
}

func (s *deflateStream) decompressor() (Decompressor, error) {
	return &deflateReader{winBits: s.winBits}, nil
}

func (r *deflateReader) Decompress(page, src []byte) error {
	if r.winBits < 0 {
		return r.inflate(page, src)
	}
	if len(src) < zlibHeaderSize+zlibSumSize || !isZlibHeader(src, r.winBits) {
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

func (r *deflateReader) MemoryUsage() int { return int(reflect.TypeFor[deflateReader]().Size()) }

func (r *deflateReader) Close() error { return nil }
