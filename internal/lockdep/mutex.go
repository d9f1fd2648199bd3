//go:build invariants || race

package lockdep

import "sync"

// Mutex is a sync.Mutex of rank R.
type Mutex[R ranked] struct{ mu sync.Mutex }

func rankOf[R ranked]() Rank {
	var r R
	return r.rank()
}

// Lock is as sync.Mutex's.
func (m *Mutex[R]) Lock() {
	id := idOf(m)
	Acquire(rankOf[R](), id, Write)
	m.mu.Lock()
	Acquired(id)
}

// TryLock is as sync.Mutex's.
func (m *Mutex[R]) TryLock() bool {
	r, id := rankOf[R](), idOf(m)
	Try(r, id, Write)
	got := m.mu.TryLock()
	Tried(r, id, Write, got)
	return got
}

// Unlock is as sync.Mutex's, for the goroutine that locked.
func (m *Mutex[R]) Unlock() {
	Release(rankOf[R](), idOf(m), Write)
	m.mu.Unlock()
}

// RWMutex is a sync.RWMutex of rank R.
type RWMutex[R ranked] struct{ mu sync.RWMutex }

// Lock is as sync.RWMutex's.
func (m *RWMutex[R]) Lock() {
	id := idOf(m)
	Acquire(rankOf[R](), id, Write)
	m.mu.Lock()
	Acquired(id)
}

// TryLock is as sync.RWMutex's.
func (m *RWMutex[R]) TryLock() bool {
	r, id := rankOf[R](), idOf(m)
	Try(r, id, Write)
	got := m.mu.TryLock()
	Tried(r, id, Write, got)
	return got
}

// Unlock is as sync.RWMutex's, for the goroutine that locked.
func (m *RWMutex[R]) Unlock() {
	Release(rankOf[R](), idOf(m), Write)
	m.mu.Unlock()
}

// RLock is as sync.RWMutex's, and no more recursive than Lock.
func (m *RWMutex[R]) RLock() {
	id := idOf(m)
	Acquire(rankOf[R](), id, Read)
	m.mu.RLock()
	Acquired(id)
}

// TryRLock is as sync.RWMutex's.
func (m *RWMutex[R]) TryRLock() bool {
	r, id := rankOf[R](), idOf(m)
	Try(r, id, Read)
	got := m.mu.TryRLock()
	Tried(r, id, Read, got)
	return got
}

// RUnlock is as sync.RWMutex's, for the goroutine that locked.
func (m *RWMutex[R]) RUnlock() {
	Release(rankOf[R](), idOf(m), Read)
	m.mu.RUnlock()
}
