//go:build clib

#include <stdlib.h>

#include <zlib.h>

#include "codec.h"

typedef struct {
	codec head;
	z_stream in, out; // inflate, deflate
	size_t allocated;
} zlib_codec;

static void *allocate(void *opaque, unsigned n, unsigned size)
{
	zlib_codec *z = opaque;

	z->allocated += (size_t)n * size;
	return calloc(n, size);
}

static void release(void *opaque, void *p)
{
	(void)opaque;
	free(p);
}

// finish has one call do all of src.
static int64_t finish(z_stream *s, int (*step)(z_stream *, int),
	uint8_t *dst, size_t room, const uint8_t *src, size_t size)
{
	uint8_t none; // an address is wanted even for no bytes
	int err;

	s->next_in = src ? (uint8_t *)src : &none;
	s->avail_in = size;
	s->next_out = dst ? dst : &none;
	s->avail_out = room;
	err = step(s, Z_FINISH);
	if (err == Z_STREAM_END && s->avail_in == 0)
		return s->total_out;
	return err < 0 ? err : Z_BUF_ERROR;
}

static int64_t compress_page(codec *c, uint8_t *dst, size_t room, const uint8_t *page, size_t size)
{
	zlib_codec *z = (zlib_codec *)c;

	deflateReset(&z->out);
	return finish(&z->out, deflate, dst, room, page, size);
}

static int64_t decompress_page(codec *c, uint8_t *page, size_t size, const uint8_t *src, size_t length)
{
	zlib_codec *z = (zlib_codec *)c;

	inflateReset(&z->in);
	return finish(&z->in, inflate, page, size, src, length);
}

static size_t memory(codec *c)
{
	return ((zlib_codec *)c)->allocated;
}

static void zlib_close(codec *c)
{
	zlib_codec *z = (zlib_codec *)c;

	inflateEnd(&z->in);
	deflateEnd(&z->out);
	free(z);
}

codec *zlib_open(int level, int winbits, int memlevel)
{
	zlib_codec *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->head = (codec){compress_page, decompress_page, memory, zlib_close};
	z->in = z->out = (z_stream){.zalloc = allocate, .zfree = release, .opaque = z};
	if (deflateInit2(&z->out, level, Z_DEFLATED, winbits, memlevel, Z_DEFAULT_STRATEGY) == Z_OK &&
	    inflateInit2(&z->in, winbits) == Z_OK)
		return &z->head;
	zlib_close(&z->head);
	return NULL;
}

int64_t zlib_inflate_bytewise(int winbits, uint8_t *page, size_t size, const uint8_t *src, size_t length)
{
	z_stream s = {.next_in = (uint8_t *)src, .avail_in = length};
	int err = inflateInit2(&s, winbits);

	// A last call without room reads what follows the last byte.
	for (size_t i = 0; err == Z_OK && i <= size; i++) {
		uint8_t none;

		s.next_out = i < size ? page + i : &none;
		s.avail_out = i < size;
		err = inflate(&s, Z_NO_FLUSH);
	}
	inflateEnd(&s);
	return err == Z_STREAM_END && s.avail_in == 0 ? (int64_t)s.total_out : -1;
}
