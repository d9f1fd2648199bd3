//go:build clib

#include <stdlib.h>

#define ZSTD_STATIC_LINKING_ONLY // parameters for a dictionary and pages of a known size
#include <zdict.h>
#include <zstd.h>

#include "codec.h"

typedef struct {
	codec head;
	int level;
	ZSTD_CCtx *out;
	ZSTD_DCtx *in;
	ZSTD_CDict *out_dict; // NULL for none
	ZSTD_DDict *in_dict;
} zstd_codec;

// zstd returns an error as a size that is negative when signed.
static int64_t compress(codec *c, uint8_t *dst, size_t room, const uint8_t *page, size_t size)
{
	zstd_codec *z = (zstd_codec *)c;

	if (z->out_dict)
		return ZSTD_compress_usingCDict(z->out, dst, room, page, size, z->out_dict);
	return ZSTD_compressCCtx(z->out, dst, room, page, size, z->level);
}

static int64_t decompress(codec *c, uint8_t *page, size_t size, const uint8_t *src, size_t length)
{
	zstd_codec *z = (zstd_codec *)c;

	if (z->in_dict)
		return ZSTD_decompress_usingDDict(z->in, page, size, src, length, z->in_dict);
	return ZSTD_decompressDCtx(z->in, page, size, src, length);
}

static size_t memory(codec *c)
{
	zstd_codec *z = (zstd_codec *)c;

	return ZSTD_sizeof_CCtx(z->out) + ZSTD_sizeof_DCtx(z->in) +
	       ZSTD_sizeof_CDict(z->out_dict) + ZSTD_sizeof_DDict(z->in_dict);
}

static void zstd_close(codec *c)
{
	zstd_codec *z = (zstd_codec *)c;

	ZSTD_freeCCtx(z->out);
	ZSTD_freeDCtx(z->in);
	ZSTD_freeCDict(z->out_dict);
	ZSTD_freeDDict(z->in_dict);
	free(z);
}

codec *zstd_open(int level, size_t page, const uint8_t *dict, size_t size)
{
	zstd_codec *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	*z = (zstd_codec){{compress, decompress, memory, zstd_close}, level, ZSTD_createCCtx(), ZSTD_createDCtx()};
	if (dict) {
		z->out_dict = ZSTD_createCDict_advanced(dict, size, ZSTD_dlm_byCopy, ZSTD_dct_auto,
			ZSTD_getCParams(level, page, size), ZSTD_defaultCMem);
		z->in_dict = ZSTD_createDDict(dict, size);
	}
	if (z->out && z->in && (!dict || (z->out_dict && z->in_dict)))
		return &z->head;
	zstd_close(&z->head);
	return NULL;
}

int64_t zstd_train(uint8_t *dict, size_t room, const uint8_t *samples, size_t n, size_t size)
{
	size_t *sizes = calloc(n, sizeof(*sizes));
	size_t used;

	if (!sizes)
		return -1;
	for (size_t i = 0; i < n; i++)
		sizes[i] = size;
	used = ZDICT_trainFromBuffer(dict, room, samples, sizes, n);
	free(sizes);
	return used;
}
