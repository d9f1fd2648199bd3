package store

import (
	"fmt"
	"syscall"
)

// Every error of this package satisfies errors.As with a syscall.Errno, the one
// that the kernel's zram gives in the same case.
var (
	ErrNotSetUp     = fmt.Errorf("device is not set up: %w", syscall.EINVAL)
	ErrSetUp        = fmt.Errorf("device is set up already: %w", syscall.EBUSY)
	ErrInUse        = fmt.Errorf("image is open: %w", syscall.EBUSY)
	ErrResetting    = fmt.Errorf("a reset is running: %w", syscall.EBUSY)
	ErrPastEnd      = fmt.Errorf("past the end of the disk: %w", syscall.ENOSPC)
	ErrMemLimit     = fmt.Errorf("memory limit reached: %w", syscall.EIO)
	ErrNoMemory     = fmt.Errorf("no memory to store the page: %w", syscall.EIO)
	ErrCorruptPage  = fmt.Errorf("stored page does not decode: %w", syscall.EIO)
	ErrLost         = fmt.Errorf("page is lost since a take-over: %w", syscall.EIO)
	ErrBacking      = fmt.Errorf("backing device failed: %w", syscall.EIO)
	ErrNoBacking    = fmt.Errorf("no backing device: %w", syscall.ENODEV)
	ErrBackingFull  = fmt.Errorf("backing device is full: %w", syscall.ENOSPC)
	ErrBudget       = fmt.Errorf("writeback limit reached: %w", syscall.EIO)
	ErrCodec        = fmt.Errorf("codec failed: %w", syscall.EIO)
	ErrUnknownCodec = fmt.Errorf("unknown algorithm: %w", syscall.EINVAL)
)

// corrupt is what becomes of an object that does not decode.
func corrupt(cause error) error { return fmt.Errorf("%w (%v)", ErrCorruptPage, cause) }
