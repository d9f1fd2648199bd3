package offheap

import (
	"sync/atomic"

	"uzram/internal/failpoint"
	"uzram/internal/invariants"
)

// shortage, if set, decides whether a request for memory fails: tests make the
// system run out at any point. Only checking builds look at it.
var shortage atomic.Pointer[func(Purpose) error]

// InjectShortage makes every later reservation and Populate ask f first, and
// fail with what it returns. nil ends it. It has effect in checking builds only.
func InjectShortage(f func(Purpose) error) {
	if f == nil {
		shortage.Store(nil)
		return
	}
	shortage.Store(&f)
}

func injected(p Purpose) error {
	if invariants.Enabled {
		if f := shortage.Load(); f != nil {
			return (*f)(p)
		}
	}
	return failpoint.Error(failpoint.Memory)
}
