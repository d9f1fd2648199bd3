//go:build clib

package main

import "uzram/internal/clib"

// haveC says whether the program was built with C's codecs.
const haveC = true

// memLevel is the kernel's, which cannot be set.
const memLevel = 8

// openC opens C's codec for a subject; nil where C has none.
func openC(s subject) peer {
	l := int(s.params.Level)
	switch s.algorithm {
	case "lzo", "lzo-rle":
		return clib.NewLZO()
	case "lz4":
		return clib.NewLZ4(l)
	case "lz4hc":
		return clib.NewLZ4HC(l)
	case "zstd":
		return clib.NewZstd(l, nil)
	case "deflate":
		return clib.NewZlib(l, int(s.params.WinBits), memLevel)
	}
	return nil
}
