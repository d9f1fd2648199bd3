package park

import (
	"sync/atomic"

	"uzram/internal/lockdep"
)

const buckets = 64

// Room is where waiters for any number of words queue. The zero value is ready.
type Room struct {
	buckets [buckets]bucket
}

type bucket struct {
	mu         lockdep.Mutex[lockdep.BucketRank]
	head, tail *Waiter // all words of this bucket, in order of arrival
	_          [64 - 24]byte
}

// Waiter is the place of one goroutine in a room; it is reused from wait to
// wait, so that waiting allocates nothing. One goroutine at a time.
type Waiter struct {
	next    *Waiter
	word    *atomic.Uint32
	write   bool
	granted chan struct{} // receives once the lock is ours
}

// NewWaiter makes a place in rooms.
func NewWaiter() *Waiter { return &Waiter{granted: make(chan struct{}, 1)} }

func (b *bucket) push(w *Waiter) {
	w.next = nil
	if b.tail == nil {
		b.head = w
	} else {
		b.tail.next = w
	}
	b.tail = w
}

// takeTurn unlinks those whose turn it is for word: one writer, or every reader
// up to the next writer. It returns them as a list, how many they are, and
// whether others still wait for word.
func (b *bucket) takeTurn(word *atomic.Uint32) (turn *Waiter, n uint32, more bool) {
	var last, kept *Waiter
	for w := b.head; w != nil; {
		next := w.next
		mine := w.word == word
		if mine && !more && (n == 0 || !turn.write && !w.write) {
			b.unlink(kept, w)
			if last == nil {
				turn = w
			} else {
				last.next = w
			}
			last, n = w, n+1
		} else {
			more = more || mine
			kept = w
		}
		w = next
	}
	return turn, n, more
}

// unlink removes w, which follows prev (nil: w is the head), and ends its list.
func (b *bucket) unlink(prev, w *Waiter) {
	if prev == nil {
		b.head = w.next
	} else {
		prev.next = w.next
	}
	if b.tail == w {
		b.tail = prev
	}
	w.next = nil
}
