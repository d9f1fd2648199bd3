// Package lockdep checks, in checking builds, that locks are used as the
// engine's packages say. It judges what each goroutine does by itself: a lock
// taken in the wrong order is reported by the first goroutine that does so,
// whether or not another one stands in its way at that moment.
//
// Each lock has a rank. Outermost first:
//
//	Settings    a device's settings and lifetime
//	  Pass      one pass over a device's slots at a time
//	    Crew    the scratch that control verbs share
//	      Gate  I/O held up
//	        Opens
//	          Slot      off the Go heap (internal/park)
//	            Class   a size class of the pool
//	              Leaf  runs of pages, same-filled elements, sums of a check
//	                Bucket  a waiting room
//
// The rules, each with the kind of Violation that breaking it is:
//
//	Recursion  nobody takes a lock that he holds, for reading neither
//	Second     nobody holds two locks of one rank, such as two slots
//	Order      nobody waits for a lock with one of an inner rank held
//	Stranger   who takes a lock gives it back, in the mode in which he took it
//	Leak       a request or verb ends without a lock of its own (AssertNoneHeld)
//	Unheld     what wants a lock held is called with it held (AssertHeld)
//
// Trying cannot wait for anybody, hence cannot deadlock: a lock may be tried
// against the order, as compaction tries slots with a class locked. Once taken
// it counts as held, and the other rules hold for the attempt too.
//
// Rules are checked before the wait, so a goroutine that would wait for itself
// panics with a Violation instead. Its text names both locks and the goroutines
// that hold them or wait for them, with the stacks of where they asked.
//
// A lock may be held for as long as it takes (codecs sleep with a slot locked);
// Longest says how long it was, and who.
//
// In other builds Mutex and RWMutex are other names for those of package sync,
// and the functions are empty.
//
// The checker's own locks are spread by goroutine, so that it neither serialises
// those that it watches nor orders them in the eyes of the race detector. It
// allocates nothing in the long run.
package lockdep
