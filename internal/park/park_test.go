package park

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

func TestUncontendedIsOneWord(t *testing.T) {
	var r Room
	var word atomic.Uint32
	w := NewWaiter()
	r.Lock(&word, w)
	if TryLock(&word) {
		t.Error("a second writer got in")
	}
	r.Unlock(&word)
	r.RLock(&word, w)
	r.RLock(&word, w)
	if TryLock(&word) {
		t.Error("a writer got in beside readers")
	}
	r.RUnlock(&word)
	r.RUnlock(&word)
	if got := word.Load(); got != 0 {
		t.Errorf("word is %#x after all left, want 0", got)
	}
	if !TryLock(&word) {
		t.Error("a free lock refused TryLock")
	}
}

// queue starts a goroutine that takes the lock and waits until it has queued.
func queue(t *testing.T, r *Room, word *atomic.Uint32, write bool, got chan<- int, id int) {
	t.Helper()
	w := NewWaiter()
	go func() {
		if write {
			r.Lock(word, w)
		} else {
			r.RLock(word, w)
		}
		got <- id
	}()
	for !queued(r, word, w) {
		runtime.Gosched()
	}
}

func queued(r *Room, word *atomic.Uint32, w *Waiter) bool {
	b := r.bucketOf(word)
	b.mu.Lock()
	defer b.mu.Unlock()
	for x := b.head; x != nil; x = x.next {
		if x == w {
			return true
		}
	}
	return false
}

// Order of arrival, readers side by side together, nobody past the queue.
func TestHandOffInOrder(t *testing.T) {
	var r Room
	var word atomic.Uint32
	got := make(chan int, 8)
	r.Lock(&word, NewWaiter())
	for id, write := range []bool{false, false, true, false, true} {
		queue(t, &r, &word, write, got, id)
	}
	r.Unlock(&word)
	first := []int{<-got, <-got}
	if first[0]+first[1] != 1 {
		t.Fatalf("first let in were %v, want the readers 0 and 1", first)
	}
	if s := word.Load(); s != waiting|2 {
		t.Fatalf("word is %#x with two readers in and others waiting", s)
	}
	r.RUnlock(&word)
	r.RUnlock(&word)
	for _, want := range []int{2, 3, 4} {
		if id := <-got; id != want {
			t.Fatalf("%d let in, want %d", id, want)
		}
		if want == 3 {
			r.RUnlock(&word)
		} else {
			r.Unlock(&word)
		}
	}
	if s := word.Load(); s != 0 {
		t.Errorf("word is %#x at the end, want 0", s)
	}
}

// Random readers and writers on few words, with the waiting bit and the queues
// exercised; plain variables under the lock let the race detector judge it.
func TestStress(t *testing.T) {
	for _, procs := range []int{1, 2, 8} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			const words, goroutines, rounds = 3, 8, 3000
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			var r Room
			var word [words]atomic.Uint32
			var value [words]int
			var wrote [words]atomic.Int64
			var wg sync.WaitGroup
			for g := range goroutines {
				wg.Go(func() {
					rng := rand.New(rand.NewPCG(seed, uint64(g)))
					w := NewWaiter()
					for range rounds {
						i := rng.IntN(words)
						switch rng.IntN(4) {
						case 0:
							r.Lock(&word[i], w)
							value[i]++
							wrote[i].Add(1)
							if rng.IntN(8) == 0 {
								runtime.Gosched()
							}
							r.Unlock(&word[i])
						case 1:
							if TryLock(&word[i]) {
								value[i]++
								wrote[i].Add(1)
								r.Unlock(&word[i])
							}
						default:
							r.RLock(&word[i], w)
							if a := value[i]; rng.IntN(8) == 0 {
								runtime.Gosched()
								if a != value[i] {
									t.Error("value changed under a reader")
								}
							}
							r.RUnlock(&word[i])
						}
					}
				})
			}
			wg.Wait()
			for i := range words {
				if int64(value[i]) != wrote[i].Load() || word[i].Load() != 0 {
					t.Errorf("word %d: value %d after %d writes, state %#x", i, value[i], wrote[i].Load(), word[i].Load())
				}
			}
		})
	}
}

func TestWaitingAllocatesNothing(t *testing.T) {
	var r Room
	var word atomic.Uint32
	w := NewWaiter()
	if n := testing.AllocsPerRun(100, func() { r.Lock(&word, w); r.Unlock(&word); r.RLock(&word, w); r.RUnlock(&word) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkUncontended(b *testing.B) {
	var r Room
	var word atomic.Uint32
	w := NewWaiter()
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			r.Lock(&word, w)
			r.Unlock(&word)
		}
	})
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			r.RLock(&word, w)
			r.RUnlock(&word)
		}
	})
	var mu sync.RWMutex
	b.Run("sync.RWMutex/read", func(b *testing.B) {
		for b.Loop() {
			mu.RLock()
			mu.RUnlock() //lint:ignore SA2001 the lock alone is measured
		}
	})
}
