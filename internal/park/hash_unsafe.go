package park

import (
	"sync/atomic"
	"unsafe"
)

// bucketOf hashes the word's address, which is stable: words live outside the
// Go heap or in one allocation that never moves.
func (r *Room) bucketOf(word *atomic.Uint32) *bucket {
	h := uint64(uintptr(unsafe.Pointer(word))) * 0x9e3779b97f4a7c15
	return &r.buckets[h>>58]
}
