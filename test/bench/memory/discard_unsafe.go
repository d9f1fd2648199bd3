package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// discard frees n bytes at off of the block device that fd names.
func discard(fd int, off, n int64) error {
	area := [2]uint64{uint64(off), uint64(n)}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.BLKDISCARD, uintptr(unsafe.Pointer(&area)))
	if errno != 0 {
		return errno
	}
	return nil
}
