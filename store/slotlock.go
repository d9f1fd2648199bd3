package store

import (
	"uzram/internal/invariants"
	"uzram/internal/lockdep"
	"uzram/internal/park"
)

// lock takes slot i for writing; w is the caller's place to wait.
func (t *table) lock(i uint64, w *park.Waiter) {
	if invariants.Enabled {
		lockdep.Acquire(lockdep.Slot, t.lockID(i), lockdep.Write)
	}
	t.room.Lock(&t.slots[i].lock, w)
	if invariants.Enabled {
		lockdep.Acquired(t.lockID(i))
	}
}

// rlock takes slot i for reading; w is the caller's place to wait.
func (t *table) rlock(i uint64, w *park.Waiter) {
	if invariants.Enabled {
		lockdep.Acquire(lockdep.Slot, t.lockID(i), lockdep.Read)
	}
	t.room.RLock(&t.slots[i].lock, w)
	if invariants.Enabled {
		lockdep.Acquired(t.lockID(i))
	}
}

// tryLock takes slot i for writing if it is free.
func (t *table) tryLock(i uint64) bool {
	if invariants.Enabled {
		lockdep.Try(lockdep.Slot, t.lockID(i), lockdep.Write)
	}
	got := park.TryLock(&t.slots[i].lock)
	if invariants.Enabled {
		lockdep.Tried(lockdep.Slot, t.lockID(i), lockdep.Write, got)
	}
	return got
}

func (t *table) unlock(i uint64) {
	if invariants.Enabled {
		lockdep.Release(lockdep.Slot, t.lockID(i), lockdep.Write)
	}
	t.room.Unlock(&t.slots[i].lock)
}

func (t *table) runlock(i uint64) {
	if invariants.Enabled {
		lockdep.Release(lockdep.Slot, t.lockID(i), lockdep.Read)
	}
	t.room.RUnlock(&t.slots[i].lock)
}

// lockID names slot i's lock to the lock checker.
func (t *table) lockID(i uint64) lockdep.ID { return lockdep.IDOf(&t.slots[i].lock) }
