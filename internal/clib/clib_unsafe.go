//go:build clib

package clib

/*
#cgo LDFLAGS: -llz4 -llzo2 -lz -lzstd
#include "codec.h"

// Pages of size bytes each, their streams each at its own place of slot bytes:
// one call for all of them, so that it costs a comparison nothing.
static int64_t compress_all(codec *c, const uint8_t *pages, size_t n, size_t size,
	uint8_t *out, size_t slot, uint64_t *length)
{
	for (size_t i = 0; i < n; i++) {
		int64_t len = c->compress(c, out + i * slot, slot, pages + i * size, size);
		if (len < 0)
			return len;
		length[i] = len;
	}
	return 0;
}

static int64_t decompress_all(codec *c, uint8_t *page, size_t n, size_t size,
	const uint8_t *out, size_t slot, const uint64_t *length)
{
	for (size_t i = 0; i < n; i++) {
		int64_t len = c->decompress(c, page, size, out + i * slot, length[i]);
		if (len < 0)
			return len;
		if ((size_t)len != size)
			return -1;
	}
	return 0;
}

static size_t codec_memory(codec *c) { return c->memory(c); }

static void codec_close(codec *c) { c->close(c); }
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Codec is one of C's codecs with its parameters. It is used by one goroutine at
// a time.
type Codec struct {
	name string
	c    *C.codec
}

// NewLZ4 is liblz4's LZ4_compress_fast and its checking decoder.
func NewLZ4(accel int) *Codec { return NewLZ4Dict(accel, nil) }

// NewLZ4Dict is NewLZ4 with a dictionary, which is read anew for each page.
func NewLZ4Dict(accel int, dict []byte) *Codec {
	return made("lz4", C.lz4_open(C.int(accel), first(dict), size(dict)))
}

// NewLZ4HC is liblz4's LZ4_compress_HC; what it writes is read as NewLZ4 does.
func NewLZ4HC(level int) *Codec { return NewLZ4HCDict(level, nil) }

// NewLZ4HCDict is NewLZ4HC with a dictionary, which is read anew for each page.
func NewLZ4HCDict(level int, dict []byte) *Codec {
	return made("lz4hc", C.lz4hc_open(C.int(level), first(dict), size(dict)))
}

// NewLZO is liblzo2's lzo1x_1 and its checking decoder.
func NewLZO() *Codec { return made("lzo1x", C.lzo_open()) }

// NewZlib is zlib with contexts that are reset for each page; a negative winBits
// is a stream without header.
func NewZlib(level, winBits, memLevel int) *Codec {
	return made("zlib", C.zlib_open(C.int(level), C.int(winBits), C.int(memLevel)))
}

// zstdPage is the size of page in bytes for which zstd prepares a dictionary.
const zstdPage = 4096

// NewZstd is libzstd in one shot, the size of the page told beforehand. dict is
// raw or trained, nil for none.
func NewZstd(level int, dict []byte) *Codec {
	return made("zstd", C.zstd_open(C.int(level), zstdPage, first(dict), size(dict)))
}

// TrainZstd makes a dictionary of at most n bytes from samples, equal shares of
// which are pages of page bytes.
func TrainZstd(n int, samples []byte, page int) ([]byte, error) {
	dict := make([]byte, n)
	used := C.zstd_train(first(dict), size(dict), first(samples), C.size_t(len(samples)/page), C.size_t(page))
	if used < 0 {
		return nil, fmt.Errorf("libzstd trains no dictionary from %d bytes", len(samples))
	}
	return dict[:used], nil
}

// InflateBytewise fills page from src as Decompress of NewZlib does, but byte by
// byte: zlib then looks back no further than its window reaches. With winBits 0
// that is the window which the stream's header tells.
func InflateBytewise(winBits int, page, src []byte) error {
	n := C.zlib_inflate_bytewise(C.int(winBits), first(page), size(page), first(src), size(src))
	if int(n) != len(page) {
		return fmt.Errorf("zlib with winbits %d gives %d bytes, want %d", winBits, n, len(page))
	}
	return nil
}

func made(name string, c *C.codec) *Codec {
	if c == nil {
		panic("C's " + name + " does not take these parameters")
	}
	return &Codec{name, c}
}

// Compress writes the compressed page to dst, at least Bound(len(page)) bytes,
// and returns its length in bytes.
func (z *Codec) Compress(dst, page []byte) (int, error) {
	var length [1]uint64
	err := z.CompressAll(dst, length[:], page)
	return int(length[0]), err
}

// Decompress fills page from src, or says what is wrong with it.
func (z *Codec) Decompress(page, src []byte) error {
	return z.DecompressAll(page, src, []uint64{uint64(len(src))})
}

// CompressAll compresses pages, as many as there are lengths and of equal size
// one behind the other, each to an equal share of out.
func (z *Codec) CompressAll(out []byte, length []uint64, pages []byte) error {
	n := len(length)
	err := C.compress_all(z.c, first(pages), C.size_t(n), C.size_t(len(pages)/n),
		first(out), C.size_t(len(out)/n), (*C.uint64_t)(&length[0]))
	if err != 0 {
		return fmt.Errorf("compress by C's %s: %d", z.name, err)
	}
	return nil
}

// DecompressAll fills page from the streams that CompressAll wrote, one after
// the other.
func (z *Codec) DecompressAll(page, out []byte, length []uint64) error {
	n := len(length)
	err := C.decompress_all(z.c, first(page), C.size_t(n), size(page),
		first(out), C.size_t(len(out)/n), (*C.uint64_t)(&length[0]))
	if err != 0 {
		return fmt.Errorf("decompress by C's %s: %d", z.name, err)
	}
	return nil
}

// MemoryUsage is the size in bytes of the library's contexts and dictionaries.
func (z *Codec) MemoryUsage() int { return int(C.codec_memory(z.c)) }

// Close frees what the library has allocated.
func (z *Codec) Close() error {
	C.codec_close(z.c)
	return nil
}

// first is the address of a slice that may be empty.
func first(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }

func size(b []byte) C.size_t { return C.size_t(len(b)) }
