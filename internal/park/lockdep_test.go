//go:build invariants || race

package park

import (
	"sync/atomic"
	"testing"

	"uzram/internal/lockdep"
)

// With a bucket locked nobody waits for a word, nor enters another bucket.
func TestBucketIsInnermost(t *testing.T) {
	var r Room
	var word atomic.Uint32
	TryLock(&word)
	b, other := r.bucketOf(&word), &r.buckets[0]
	if b == other {
		other = &r.buckets[1]
	}
	b.mu.Lock()
	for _, c := range []struct {
		what string
		want lockdep.Kind
		f    func()
	}{
		{"waiting for a word", lockdep.Recursion, func() { r.Lock(&word, NewWaiter()) }},
		{"another bucket", lockdep.Second, other.mu.Lock},
	} {
		if v := lockdep.Provoke(c.f); v == nil || v.Kind != c.want {
			t.Errorf("%s: %v, want %v", c.what, v, c.want)
		}
	}
	b.mu.Unlock()
}
