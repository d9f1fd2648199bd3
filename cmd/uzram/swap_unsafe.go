package main

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Flags of swapon(2).
const (
	swapPrefer  = 1 << 15
	swapDiscard = 1 << 16
)

// swapOn is swapon(2) with discards, at once and as the kernel frees pages. package unix has no call for it.
func swapOn(device string, priority int) error {
	return swapCall(unix.SYS_SWAPON, device, uintptr(swapPrefer|swapDiscard|priority))
}

// swapOffCall is swapoff(2): it reads all back, and a signal ends it with EINTR.
func swapOffCall(device string) error { return swapCall(unix.SYS_SWAPOFF, device, 0) }

func swapCall(number uintptr, device string, flags uintptr) error {
	name, err := unix.BytePtrFromString(device)
	if err != nil {
		return err
	}
	if _, _, errno := unix.Syscall(number, uintptr(unsafe.Pointer(name)), flags, 0); errno != 0 {
		return errno
	}
	return nil
}
