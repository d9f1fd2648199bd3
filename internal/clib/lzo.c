//go:build clib

#include <stdlib.h>

#include <lzo/lzo1x.h>

#include "codec.h"

typedef struct {
	codec head;
	uint64_t work[LZO1X_1_MEM_COMPRESS / sizeof(uint64_t)];
} lzo_codec;

// lzo1x_1_compress does not look at the room it has.
static int64_t compress(codec *c, uint8_t *dst, size_t room, const uint8_t *page, size_t size)
{
	lzo_codec *z = (lzo_codec *)c;
	lzo_uint n = room;
	int err = room < size + size / 16 + 67 ? LZO_E_OUTPUT_OVERRUN : lzo1x_1_compress(page, size, dst, &n, z->work);

	return err ? err : (int64_t)n;
}

static int64_t decompress(codec *c, uint8_t *page, size_t size, const uint8_t *src, size_t length)
{
	lzo_uint n = size;
	int err = lzo1x_decompress_safe(src, length, page, &n, NULL);

	(void)c;
	return err ? err : (int64_t)n;
}

static size_t memory(codec *c)
{
	return sizeof(((lzo_codec *)c)->work);
}

static void lzo_close(codec *c)
{
	free(c);
}

codec *lzo_open(void)
{
	lzo_codec *z = lzo_init() ? NULL : calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	z->head = (codec){compress, decompress, memory, lzo_close};
	return &z->head;
}
