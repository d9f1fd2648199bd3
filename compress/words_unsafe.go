//go:build !nounsafe && (386 || amd64 || arm64 || loong64 || ppc64le || riscv64)

package compress

import "unsafe"

// The page codecs' loads and stores, without bound checks: they cost a
// quarter of its speed. Every caller states why its indices are in range, and
// the safe twin of this file (build tag nounsafe) would panic if one were not.

// load64 returns the 8 bytes at b[i:], the first in the lowest bits.
// The caller guarantees 0 <= i and i+8 <= len(b).
func load64(b []byte, i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i))
}

// store64 writes v at b[i:], the lowest bits first.
// The caller guarantees 0 <= i and i+8 <= len(b).
func store64(b []byte, i int, v uint64) {
	*(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = v
}

// store32 writes v at b[i:], the lowest bits first.
// The caller guarantees 0 <= i and i+4 <= len(b).
func store32(b []byte, i int, v uint32) {
	*(*uint32)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = v
}

// store8 writes v at b[i]. The caller guarantees 0 <= i and i < len(b).
func store8(b []byte, i int, v byte) {
	*(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i)) = v
}

// copy16 moves 16 bytes from src[j:] to dst[i:], which do not overlap.
// The caller guarantees that both have them.
func copy16(dst []byte, i int, src []byte, j int) {
	to := (*[16]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(dst)), i))
	*to = *(*[16]byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(src)), j))
}
