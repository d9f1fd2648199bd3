//go:build clib

package clib

/*
#cgo LDFLAGS: -llzo2
#include <stdint.h>
#include <lzo/lzo1x.h>

static int lzo_start(void) { return lzo_init(); }

// Pages of size bytes each, their streams each at its own place of slot bytes:
// one call for all of them, so that it costs the comparison nothing.
static int lzo_compress_all(const unsigned char *pages, uint64_t n, uint64_t size,
	unsigned char *out, uint64_t slot, uint64_t *length, void *work)
{
	for (uint64_t i = 0; i < n; i++) {
		lzo_uint len = slot;
		int err = lzo1x_1_compress(pages + i * size, size, out + i * slot, &len, work);
		if (err)
			return err;
		length[i] = len;
	}
	return 0;
}

static int lzo_decompress_all(unsigned char *page, uint64_t n, uint64_t size,
	const unsigned char *out, uint64_t slot, const uint64_t *length)
{
	for (uint64_t i = 0; i < n; i++) {
		lzo_uint len = size;
		int err = lzo1x_decompress_safe(out + i * slot, length[i], page, &len, 0);
		if (err)
			return err;
		if (len != size)
			return 1;
	}
	return 0;
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// LZO is liblzo2's lzo1x_1 and its checking decoder. It is used by one goroutine
// at a time.
type LZO struct{ work []byte }

// NewLZO returns one with its working memory.
func NewLZO() *LZO {
	if err := C.lzo_start(); err != 0 {
		panic(fmt.Sprint("lzo_init: ", err))
	}
	return &LZO{make([]byte, C.LZO1X_1_MEM_COMPRESS)}
}

// Compress writes the stream of page to dst, which must have a sixteenth and 67
// bytes more than the page has, and returns its length.
func (z *LZO) Compress(dst, page []byte) (int, error) {
	var length [1]uint64
	err := z.CompressAll(dst, length[:], page)
	return int(length[0]), err
}

// Decompress fills page from src, or says what is wrong with it.
func (z *LZO) Decompress(page, src []byte) error {
	return z.DecompressAll(page, src, []uint64{uint64(len(src))})
}

// CompressAll compresses pages, as many as there are lengths and of equal size
// one behind the other, each to an equal share of out.
func (z *LZO) CompressAll(out []byte, length []uint64, pages []byte) error {
	n := len(length)
	err := C.lzo_compress_all(first(pages), C.uint64_t(n), C.uint64_t(len(pages)/n),
		first(out), C.uint64_t(len(out)/n), (*C.uint64_t)(&length[0]), unsafe.Pointer(&z.work[0]))
	if err != 0 {
		return fmt.Errorf("lzo1x_1_compress: %d", err)
	}
	return nil
}

// DecompressAll fills page from the streams that CompressAll wrote, one after
// the other.
func (z *LZO) DecompressAll(page, out []byte, length []uint64) error {
	n := len(length)
	err := C.lzo_decompress_all(first(page), C.uint64_t(n), C.uint64_t(len(page)),
		first(out), C.uint64_t(len(out)/n), (*C.uint64_t)(&length[0]))
	if err != 0 {
		return fmt.Errorf("lzo1x_decompress_safe: %d", err)
	}
	return nil
}

// first is the address of a slice that may be empty.
func first(b []byte) *C.uchar { return (*C.uchar)(unsafe.SliceData(b)) }
