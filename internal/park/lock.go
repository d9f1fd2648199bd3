package park

import (
	"sync/atomic"

	"uzram/internal/invariants"
)

const (
	writer  = 1 << 31
	waiting = 1 << 30
	readers = waiting - 1
)

// TryLock takes the lock for writing if it is free.
func TryLock(word *atomic.Uint32) bool { return word.CompareAndSwap(0, writer) }

// Lock takes the lock for writing, waiting in the room as w if it must.
func (r *Room) Lock(word *atomic.Uint32, w *Waiter) {
	if !word.CompareAndSwap(0, writer) {
		r.wait(word, w, true)
	}
}

// RLock takes the lock for reading, waiting in the room as w if it must.
func (r *Room) RLock(word *atomic.Uint32, w *Waiter) {
	for s := word.Load(); s&(writer|waiting) == 0; s = word.Load() {
		if word.CompareAndSwap(s, s+1) {
			return
		}
	}
	r.wait(word, w, false)
}

// Unlock gives back a lock held for writing.
func (r *Room) Unlock(word *atomic.Uint32) {
	if invariants.Enabled && word.Load()&writer == 0 {
		panic("park: unlock of a lock that no writer holds")
	}
	if !word.CompareAndSwap(writer, 0) {
		r.handOff(word)
	}
}

// RUnlock gives back a lock held for reading.
func (r *Room) RUnlock(word *atomic.Uint32) {
	for {
		s := word.Load()
		if invariants.Enabled && s&readers == 0 {
			panic("park: unlock of a lock that no reader holds")
		}
		if s == waiting|1 {
			// The last reader before somebody's turn: nobody else may change
			// the word now (arrivals find bit 30 set and queue).
			r.handOff(word)
			return
		}
		if word.CompareAndSwap(s, s-1) {
			return
		}
	}
}

// wait queues for the lock unless it came free meanwhile.
func (r *Room) wait(word *atomic.Uint32, w *Waiter, write bool) {
	b := r.bucketOf(word)
	b.mu.Lock()
	for {
		s := word.Load()
		if s&waiting != 0 {
			break
		}
		free, taken := s == 0, uint32(writer)
		if !write {
			free, taken = s&writer == 0, s+1
		}
		if !free {
			taken = s | waiting
		}
		if word.CompareAndSwap(s, taken) {
			if free {
				b.mu.Unlock()
				return
			}
			break
		}
	}
	w.word, w.write = word, write
	b.push(w)
	b.mu.Unlock()
	<-w.granted
}

// handOff passes the lock, which the caller holds as its last holder, to those
// whose turn it is.
func (r *Room) handOff(word *atomic.Uint32) {
	b := r.bucketOf(word)
	b.mu.Lock()
	turn, n, more := b.takeTurn(word)
	s := n
	if turn != nil && turn.write {
		s = writer
	}
	if more {
		s |= waiting
	}
	word.Store(s)
	b.mu.Unlock()
	for turn != nil {
		// Once woken, a waiter may queue again: read its link first.
		next := turn.next
		turn.granted <- struct{}{}
		turn = next
	}
}
