//go:build race

package offheap

import (
	"sync"
	"syscall"
	"unsafe"
)

// heapLimit keeps the twin from asking the Go runtime for more address space
// than it can describe.
const heapLimit = 1 << 33

// backing counts the pages a memfd would hold.
type backing struct {
	mu      sync.Mutex
	present map[int]struct{}
}

func (a *Arena) reserve(_ Purpose, size int64) error {
	if size > heapLimit {
		return syscall.ENOMEM
	}
	raw := make([]byte, size+HeaderSize)
	skip := -uintptr(unsafe.Pointer(&raw[0])) & (HeaderSize - 1)
	a.mem = raw[skip : int64(skip)+size : int64(skip)+size]
	a.present = map[int]struct{}{}
	return nil
}

// populate notes the pages as present; Go heap memory always is.
func (a *Arena) populate(off, n int) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for p := off / HeaderSize; p < (off+n)/HeaderSize; p++ {
		a.present[p] = struct{}{}
	}
	return nil
}

// Punch zeroes the range, which is what a reader of a punched memfd sees.
func (a *Arena) Punch(off, n int) error {
	clear(a.mem[off : off+n])
	a.mu.Lock()
	defer a.mu.Unlock()
	for p := off / HeaderSize; p < (off+n)/HeaderSize; p++ {
		delete(a.present, p)
	}
	return nil
}

// Resident is the number of bytes populated and not punched.
func (a *Arena) Resident() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return uint64(len(a.present)) * HeaderSize
}

// Close drops the memory.
func (a *Arena) Close() error {
	a.mem = nil
	return nil
}
