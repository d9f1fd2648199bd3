// Package snapshot is the file that a device's contents and settings are saved in.
//
//	┌──────────┬────────────────┬─────────────────┬───────┬─────────────┐
//	│ preamble │ section 0: head│ section 1: pages│  ...  │ section n:  │
//	│ 16 bytes │ JSON           │ records         │       │ end, totals │
//	└──────────┴────────────────┴─────────────────┴───────┴─────────────┘
//	preamble   magic [8], format version u32, 0 u32
//	section    kind u32, length u32 of what follows, number u32, CRC-32C u32 of what
//	           follows and followed in all sections before, CRC-32C u32 of these 16
//	           bytes; then length bytes
//	record     slot u64, length u16, kind and marks u8, priority u8, seconds u32;
//	           then length bytes: an object as it lay in the pool
//	end        pages u64, bytes of their objects u64
//
// All numbers are little endian. Records come in any order, none twice. Nothing
// follows the end. Each byte is under a checksum, and a section's covers those
// before it, so damage anywhere, a cut, and parts of two files put together are
// all noticed.
//
// The package knows neither slots nor codecs: what an object means is for its
// user, who finds the algorithms in the head.
package snapshot
