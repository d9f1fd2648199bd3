package offheap

import (
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Arena is one contiguous, page-aligned, zero-filled stretch of memory outside
// the Go heap. Its methods may be called by several goroutines as long as they
// do not overlap; Close excludes everything else.
type Arena struct {
	mem     []byte
	purpose Purpose
	backing
}

// New reserves an arena of dataSize bytes for entries of unit bytes behind its
// header page, rounded up to whole pages. Errors wrap ENOMEM where the address
// space does not hold it.
func New(purpose Purpose, dataSize, unit uint64) (*Arena, error) {
	const limit = math.MaxInt64 - 2*HeaderSize
	if dataSize > limit {
		return nil, fmt.Errorf("arena %v of %d bytes: %w", purpose, dataSize, syscall.ENOMEM)
	}
	size := HeaderSize + (dataSize+HeaderSize-1)&^(HeaderSize-1)
	a := &Arena{purpose: purpose}
	err := injected(purpose)
	if err == nil {
		err = a.reserve(purpose, int64(size))
	}
	if err != nil {
		return nil, fmt.Errorf("arena %v of %d bytes: %w", purpose, size, err)
	}
	if err := a.Populate(0, HeaderSize); err != nil {
		a.Close()
		return nil, fmt.Errorf("arena %v: %w", purpose, err)
	}
	Header{Version: format.Load(), Purpose: purpose, Size: size, Unit: unit}.put(a.mem)
	return a, nil
}

// Bytes is the whole arena, header page included.
func (a *Arena) Bytes() []byte { return a.mem }

// Data is the arena behind its header page.
func (a *Arena) Data() []byte { return a.mem[HeaderSize:] }

// View returns the first n entries of type T behind the header page. T must
// hold no pointers and have an alignment of at most a page.
func View[T any](a *Arena, n uint64) []T {
	var t *T // T itself may be too large for a stack
	if need := n * uint64(unsafe.Sizeof(*t)); need > uint64(len(a.mem)-HeaderSize) {
		panic(fmt.Sprintf("offheap: %d bytes asked of an arena of %d", need, len(a.mem)-HeaderSize))
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&a.mem[HeaderSize])), n)
}

// Words is the whole arena, header page included, as 64-bit words.
func Words(a *Arena) []atomic.Uint64 {
	return unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(&a.mem[0])), len(a.mem)/8)
}

// Populate makes the pages of [off, off+n) present, zero-filled where they were
// not, so that touching them later neither faults nor fails. off and n are
// multiples of a page. ENOMEM: the system (or this process's memory cgroup) has
// no more.
func (a *Arena) Populate(off, n int) error {
	if err := injected(a.purpose); err != nil {
		return err
	}
	return a.populate(off, n)
}

// PopulateData is Populate for the pages that hold bytes [from, to) of Data.
func (a *Arena) PopulateData(from, to uint64) error {
	first := (HeaderSize + from) &^ (HeaderSize - 1)
	end := (HeaderSize + to + HeaderSize - 1) &^ (HeaderSize - 1)
	return a.Populate(int(first), int(end-first))
}
