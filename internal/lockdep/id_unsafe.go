//go:build invariants || race

package lockdep

import (
	"sync/atomic"
	"unsafe"
)

// stay does nothing that the compiler could see through, so what is passed to it
// lives on the heap. A lock on a stack would change its name when the stack grows.
var stay = func(any) {}

// IDOf names a lock that is one word.
func IDOf(word *atomic.Uint32) ID { return idOf(word) }

func idOf[T any](p *T) ID {
	stay(p)
	return ID(unsafe.Pointer(p))
}
