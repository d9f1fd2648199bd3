package main

import (
	"bytes"
	"compress/flate"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// library is a Go library as one gets it, with no option that is there for the
// sake of single pages.
type library struct {
	name string
	open func() (coder, error)
}

var (
	pierrecFast   = library{"pierrec CCompat", newPierrecFast}
	pierrecHC     = library{"pierrec HC 9", newPierrecHC}
	klauspostZstd = library{"klauspost defaults", newKlauspost}
	stdlibFlate   = library{"standard library", newStdlib}
)

// pierrec is the lz4 library; CompressorCCompat's output is liblz4's.
type pierrec struct {
	enc interface {
		CompressBlock(src, dst []byte) (int, error)
	}
}

func newPierrecFast() (coder, error) { return &pierrec{new(lz4.CompressorCCompat)}, nil }

func newPierrecHC() (coder, error) { return &pierrec{&lz4.CompressorHC{Level: lz4.Level9}}, nil }

func (p *pierrec) Compress(dst, page []byte) (int, error) { return p.enc.CompressBlock(page, dst) }

func (p *pierrec) Decompress(page, src []byte) error {
	n, err := lz4.UncompressBlock(src, page)
	if err == nil && n != len(page) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// klauspost is the zstd library on one thread.
type klauspost struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newKlauspost() (coder, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	return &klauspost{enc, dec}, err
}

func (k *klauspost) Compress(dst, page []byte) (int, error) {
	return len(k.enc.EncodeAll(page, dst[:0:len(dst)])), nil
}

func (k *klauspost) Decompress(page, src []byte) error {
	out, err := k.dec.DecodeAll(src, page[:0:len(page)])
	if err == nil && len(out) != len(page) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// stdlib is the standard library's deflate at its default level, 6.
type stdlib struct {
	out bytes.Buffer
	in  bytes.Reader
	enc *flate.Writer
	dec io.ReadCloser
}

func newStdlib() (coder, error) {
	s := new(stdlib)
	enc, err := flate.NewWriter(&s.out, flate.DefaultCompression)
	s.enc, s.dec = enc, flate.NewReader(&s.in)
	return s, err
}

func (s *stdlib) Compress(dst, page []byte) (int, error) {
	s.out = *bytes.NewBuffer(dst[:0])
	s.enc.Reset(&s.out)
	if _, err := s.enc.Write(page); err != nil {
		return 0, err
	}
	if err := s.enc.Close(); err != nil {
		return 0, err
	}
	return s.out.Len(), nil
}

func (s *stdlib) Decompress(page, src []byte) error {
	s.in.Reset(src)
	if err := s.dec.(flate.Resetter).Reset(&s.in, nil); err != nil {
		return err
	}
	_, err := io.ReadFull(s.dec, page)
	return err
}
