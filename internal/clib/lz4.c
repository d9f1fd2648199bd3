//go:build clib

#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lz4hc.h>

#include "codec.h"

typedef struct {
	codec head;
	int level; // or acceleration
	void *state;
	size_t state_size;
	char *dict;
	int dict_size;
} lz4_codec;

static int64_t fast(codec *c, uint8_t *dst, size_t room, const uint8_t *page, size_t size)
{
	lz4_codec *z = (lz4_codec *)c;
	int n;

	if (z->dict) {
		LZ4_loadDict(z->state, z->dict, z->dict_size);
		n = LZ4_compress_fast_continue(z->state, (const char *)page, (char *)dst, size, room, z->level);
	} else {
		n = LZ4_compress_fast_extState(z->state, (const char *)page, (char *)dst, size, room, z->level);
	}
	return n > 0 ? n : -1;
}

static int64_t thorough(codec *c, uint8_t *dst, size_t room, const uint8_t *page, size_t size)
{
	lz4_codec *z = (lz4_codec *)c;
	int n;

	if (z->dict) {
		LZ4_resetStreamHC(z->state, z->level);
		LZ4_loadDictHC(z->state, z->dict, z->dict_size);
		n = LZ4_compress_HC_continue(z->state, (const char *)page, (char *)dst, size, room);
	} else {
		n = LZ4_compress_HC_extStateHC(z->state, (const char *)page, (char *)dst, size, room, z->level);
	}
	return n > 0 ? n : -1;
}

static int64_t decompress(codec *c, uint8_t *page, size_t size, const uint8_t *src, size_t length)
{
	lz4_codec *z = (lz4_codec *)c;

	if (z->dict)
		return LZ4_decompress_safe_usingDict((const char *)src, (char *)page, length, size, z->dict, z->dict_size);
	return LZ4_decompress_safe((const char *)src, (char *)page, length, size);
}

static size_t memory(codec *c)
{
	lz4_codec *z = (lz4_codec *)c;

	return z->state_size + z->dict_size;
}

static void lz4_close(codec *c)
{
	lz4_codec *z = (lz4_codec *)c;

	free(z->state);
	free(z->dict);
	free(z);
}

static codec *make(int level, size_t state_size, const uint8_t *dict, size_t size)
{
	lz4_codec *z = calloc(1, sizeof(*z));

	if (!z)
		return NULL;
	*z = (lz4_codec){{.decompress = decompress, .memory = memory, .close = lz4_close}, .level = level};
	z->state = calloc(1, state_size);
	z->state_size = state_size;
	if (dict && (z->dict = malloc(size + 1))) {
		memcpy(z->dict, dict, size);
		z->dict_size = size;
	}
	if (!z->state || (dict && !z->dict)) {
		lz4_close(&z->head);
		return NULL;
	}
	return &z->head;
}

codec *lz4_open(int acceleration, const uint8_t *dict, size_t size)
{
	codec *c = make(acceleration, LZ4_sizeofState(), dict, size);

	if (c)
		c->compress = fast;
	return c;
}

codec *lz4hc_open(int level, const uint8_t *dict, size_t size)
{
	codec *c = make(level, LZ4_sizeofStateHC(), dict, size);

	if (c)
		c->compress = thorough;
	return c;
}
