//go:build !invariants && !race

package lockdep

import (
	"io"
	"sync"
	"sync/atomic"
)

// Mutex is a sync.Mutex of rank R.
type Mutex[R ranked] = sync.Mutex

// RWMutex is a sync.RWMutex of rank R.
type RWMutex[R ranked] = sync.RWMutex

// IDOf names a lock that is one word.
func IDOf(word *atomic.Uint32) ID { return 0 }

// Acquire comes before any wait for a lock.
func Acquire(Rank, ID, Mode) {}

// Acquired comes after the wait that Acquire announced.
func Acquired(ID) {}

// Try comes before an attempt that does not wait.
func Try(Rank, ID, Mode) {}

// Tried comes after the attempt that Try announced; got says how it ended.
func Tried(r Rank, id ID, m Mode, got bool) {}

// Release comes before a lock is given back.
func Release(Rank, ID, Mode) {}

// AssertHeld wants the caller to hold a lock, for writing if m is Write.
func AssertHeld(Rank, ID, Mode) {}

// AssertNoneHeld wants the caller to hold no lock of rank outermost or of those
// within it.
func AssertNoneHeld(outermost Rank) {}

// WriteLongest writes a line about the longest hold of each rank.
func WriteLongest(io.Writer) {}

// Bodies uses the methods of both types. The compiler can inline them in a
// package that does not import sync only if something that it does import
// exports their bodies.
func Bodies(m *Mutex[LeafRank], rw *RWMutex[LeafRank]) {
	m.Lock()
	_ = m.TryLock()
	m.Unlock()
	rw.RLock()
	_ = rw.TryRLock()
	rw.RUnlock()
	rw.Lock()
	_ = rw.TryLock()
	rw.Unlock()
}
