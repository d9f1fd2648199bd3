package main

import (
	"crypto/rand"
	native "encoding/binary"
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// minSwapPages is what mkswap asks for.
const minSwapPages = 10

// makeSwap writes the signature of swap space to a new loop device.
func makeSwap(loop string) error {
	fd, err := unix.Open(loop, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: loop, Err: err}
	}
	defer unix.Close(fd)
	bytes, err := unix.Seek(fd, 0, unix.SEEK_END)
	if err != nil {
		return fmt.Errorf("size of %s: %w", loop, err)
	}
	pages := min(bytes/int64(os.Getpagesize()), math.MaxUint32)
	if pages < minSwapPages {
		return usagef("--disksize: swap space has at least %d pages", minSwapPages)
	}
	if _, err = unix.Pwrite(fd, swapSignature(uint32(pages), newUUID(), os.Getpagesize()), 0); err == nil {
		err = unix.Fsync(fd)
	}
	if err != nil {
		return fmt.Errorf("write the signature of swap space to %s: %w", loop, err)
	}
	return nil
}

// swapSignature is the first page of a swap space: behind a kilobyte for boot loaders the version, the last page and an
// identifier, and at the page's end the magic.
func swapSignature(pages uint32, id [16]byte, pageBytes int) []byte {
	const info, magic = 1024, "SWAPSPACE2"
	p := make([]byte, pageBytes)
	native.NativeEndian.PutUint32(p[info:], 1)
	native.NativeEndian.PutUint32(p[info+4:], pages-1)
	copy(p[info+12:], id[:])
	copy(p[pageBytes-len(magic):], magic)
	return p
}

// newUUID is random, of version 4.
func newUUID() (id [16]byte) {
	rand.Read(id[:])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id
}
