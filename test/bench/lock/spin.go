package main

import "uzram/internal/park"

// spinLocks is the control: a contender keeps its CPU and tries again until it
// has the lock. The word counts readers; its top bit is the writer.
type spinLocks []slot

const spinWriter = 1 << 31

func (l spinLocks) lock(i int, _ *park.Waiter) {
	word := &l[i].lock
	for word.Load() != 0 || !word.CompareAndSwap(0, spinWriter) {
	}
}

func (l spinLocks) unlock(i int) { l[i].lock.Store(0) }

func (l spinLocks) rlock(i int, _ *park.Waiter) {
	word := &l[i].lock
	for {
		if s := word.Load(); s&spinWriter == 0 && word.CompareAndSwap(s, s+1) {
			return
		}
	}
}

func (l spinLocks) runlock(i int) { l[i].lock.Add(^uint32(0)) }
