//go:build race

package offheap

import (
	"fmt"
	"sync"
	"syscall"
	"unsafe"
)

// heapLimit keeps the twin from asking the Go runtime for more address space
// than it can describe.
const heapLimit = 1 << 33

// backing counts the pages a memfd would hold. It has room for all of them from
// the start, since tests count the allocations of those who populate.
type backing struct {
	mu      sync.Mutex
	present []bool // by page
	pages   uint64 // how many of them are true
}

func (a *Arena) reserve(_ Purpose, size int64) error {
	if size > heapLimit {
		return syscall.ENOMEM
	}
	raw := make([]byte, size+HeaderSize)
	skip := -uintptr(unsafe.Pointer(&raw[0])) & (HeaderSize - 1)
	a.mem = raw[skip : int64(skip)+size : int64(skip)+size]
	a.present = make([]bool, size/HeaderSize)
	return nil
}

// populate notes the pages as present; Go heap memory always is.
func (a *Arena) populate(off, n int) error {
	a.mark(off, n, true)
	return nil
}

// Punch zeroes the range, which is what a reader of a punched memfd sees.
func (a *Arena) Punch(off, n int) error {
	clear(a.mem[off : off+n])
	a.mark(off, n, false)
	return nil
}

func (a *Arena) mark(off, n int, present bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for p := off / HeaderSize; p < (off+n)/HeaderSize; p++ {
		if a.present[p] == present {
			continue
		}
		a.present[p] = present
		if present {
			a.pages++
		} else {
			a.pages--
		}
	}
}

// FD is the arena's descriptor; heap memory has none.
func (a *Arena) FD() int { return -1 }

// Open cannot map another process's heap.
func Open(fd int, purpose Purpose) (*Arena, error) {
	return nil, fmt.Errorf("arena %v: descriptor %d cannot stand for heap memory: %w", purpose, fd, syscall.EINVAL)
}

// DataFrom is the start of NextData.
func (a *Arena) DataFrom(from uint64) uint64 {
	start, _ := a.NextData(from)
	return start
}

// NextData is the first stretch [start, end) at or after from, a multiple of a
// page, that was populated and not punched, in bytes of Bytes; start == end ==
// the arena's size if there is none.
func (a *Arena) NextData(from uint64) (start, end uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := from / HeaderSize
	for p < uint64(len(a.present)) && !a.present[p] {
		p++
	}
	start = min(p*HeaderSize, uint64(len(a.mem)))
	for p < uint64(len(a.present)) && a.present[p] {
		p++
	}
	return start, min(p*HeaderSize, uint64(len(a.mem)))
}

// Resident is the number of bytes populated and not punched.
func (a *Arena) Resident() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pages * HeaderSize
}

// Close drops the memory.
func (a *Arena) Close() error {
	a.mem = nil
	return nil
}
