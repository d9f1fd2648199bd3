package main

import (
	"sync"
	"sync/atomic"

	"uzram/internal/park"
)

// locks is as many reader/writer locks of one kind as there are slots. The
// waiter is the caller's own; only park's locks look at it.
type locks interface {
	lock(slot int, w *park.Waiter)
	unlock(slot int)
	rlock(slot int, w *park.Waiter)
	runlock(slot int)
}

type kind struct {
	name string
	make func(slots int) locks
}

// kinds is what is compared; the names are those of the table's columns.
var kinds = []kind{
	{"park", func(slots int) locks { return &parkLocks{slots: make([]slot, slots)} }},
	{"sync.RWMutex", func(slots int) locks { return make(mutexLocks, slots) }},
	{"spin", func(slots int) locks { return make(spinLocks, slots) }},
}

func kindNamed(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return nil
}

// slot has the shape of the store's, four to a cache line.
type slot struct {
	_    uint64
	lock atomic.Uint32
	_    uint32
}

type parkLocks struct {
	room  park.Room
	slots []slot
}

func (l *parkLocks) lock(i int, w *park.Waiter)  { l.room.Lock(&l.slots[i].lock, w) }
func (l *parkLocks) unlock(i int)                { l.room.Unlock(&l.slots[i].lock) }
func (l *parkLocks) rlock(i int, w *park.Waiter) { l.room.RLock(&l.slots[i].lock, w) }
func (l *parkLocks) runlock(i int)               { l.room.RUnlock(&l.slots[i].lock) }

type mutexLocks []sync.RWMutex

func (l mutexLocks) lock(i int, _ *park.Waiter)  { l[i].Lock() }
func (l mutexLocks) unlock(i int)                { l[i].Unlock() }
func (l mutexLocks) rlock(i int, _ *park.Waiter) { l[i].RLock() }
func (l mutexLocks) runlock(i int)               { l[i].RUnlock() }
