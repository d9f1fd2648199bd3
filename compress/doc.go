// Package compress has the page codecs under the kernel's names.
//
// A Codec is a row of one ordered table: a name, the rule that says which
// parameters it takes, and a constructor of streams. A Stream is the context
// of one worker for one algorithm and one set of parameters: encoder tables,
// decoder state and, where an encoder needs more room than the caller gives, a
// private output buffer.
//
//	Lookup("zstd") ── Codec ── Check(Params)      what disksize reports
//	                    └───── NewStream(Params) ── Stream (one per worker)
//
// What a page becomes:
//
//	lzo          an LZO1X stream
//	lzo-rle      the same with a version, and with runs of zeros
//	lz4, lz4hc   a bare block, no frame, no size
//	zstd         one frame: single segment, no checksum, no dictionary id
//	deflate      a raw stream (negative winbits) or a zlib stream (positive)
//	842          templates, a checksum, zeros up to a multiple of 8 bytes
//
// Invariants:
//
//   - Output depends on the page, the parameters and the dictionary alone, never
//     on the pages a stream saw before.
//   - Compress writes to dst only, Decompress to page only, whatever the input.
//   - Decompress fills the page exactly or returns ErrCorrupt; the page's
//     content is undefined after an error.
//   - After the first page of a size a stream makes no heap allocation, in
//     either direction, so a swap device can write while memory is short.
//
// Pages of 0 to 64 KiB are served; the positions in encoder tables have 16 bits.
//
// The package knows pages, not slots: same-filled pages, and the size from which
// a page is better stored raw, are the caller's business.
package compress
