#ifndef CODEC_H
#define CODEC_H

#include <stddef.h>
#include <stdint.h>

// A codec is the head of what an open function allocates. compress and
// decompress return a length in bytes, or a negative number for an error;
// memory is what the library has allocated, in bytes.
typedef struct codec codec;
struct codec {
	int64_t (*compress)(codec *c, uint8_t *dst, size_t room, const uint8_t *page, size_t size);
	int64_t (*decompress)(codec *c, uint8_t *page, size_t size, const uint8_t *src, size_t length);
	size_t (*memory)(codec *c);
	void (*close)(codec *c);
};

// Each returns NULL if it cannot be had. A dictionary is copied; NULL for none.
codec *lz4_open(int acceleration, const uint8_t *dict, size_t size);
codec *lz4hc_open(int level, const uint8_t *dict, size_t size);
codec *lzo_open(void);
codec *zlib_open(int level, int winbits, int memlevel);
codec *zstd_open(int level, size_t page, const uint8_t *dict, size_t size);

// zlib_inflate_bytewise returns the length of the page, or a negative number.
int64_t zlib_inflate_bytewise(int winbits, uint8_t *page, size_t size, const uint8_t *src, size_t length);

// zstd_train fills dict from n samples of size bytes each, and returns how much
// of it is used, or a negative number.
int64_t zstd_train(uint8_t *dict, size_t room, const uint8_t *samples, size_t n, size_t size);

#endif
