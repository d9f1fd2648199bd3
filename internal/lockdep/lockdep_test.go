//go:build invariants || race

package lockdep

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func violation(t *testing.T, want Kind, f func()) *Violation {
	t.Helper()
	v := Provoke(f)
	if v == nil || v.Kind != want {
		t.Fatalf("%v, want %v", v, want)
	}
	return v
}

// apart runs f on a goroutine of its own.
func apart(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

// All ranks nest in their order; afterwards nothing is held.
func TestOrderIsAccepted(t *testing.T) {
	var (
		settings RWMutex[SettingsRank]
		pass     Mutex[PassRank]
		crew     Mutex[CrewRank]
		gate     RWMutex[GateRank]
		opens    Mutex[OpensRank]
		slot     atomic.Uint32
		class    Mutex[ClassRank]
		leaf     Mutex[LeafRank]
		bucket   Mutex[BucketRank]
	)
	word := IDOf(&slot)
	nest := []sync.Locker{
		locker{settings.RLock, settings.RUnlock}, &pass, &crew, &gate, &opens,
		locker{func() { Acquire(Slot, word, Read); Acquired(word) }, func() { Release(Slot, word, Read) }},
		&class, &leaf, &bucket,
	}
	for _, l := range nest {
		l.Lock()
	}
	AssertHeld(Slot, word, Read)
	for _, l := range nest {
		l.Unlock() // in any order
	}
	AssertNoneHeld(Settings)
}

type locker struct{ lock, unlock func() }

func (l locker) Lock()   { l.lock() }
func (l locker) Unlock() { l.unlock() }

func TestRecursion(t *testing.T) {
	var m Mutex[ClassRank]
	m.Lock()
	violation(t, Recursion, m.Lock)
	violation(t, Recursion, func() { m.TryLock() })
	m.Unlock()

	var rw RWMutex[SettingsRank]
	for _, first := range []locker{{rw.Lock, rw.Unlock}, {rw.RLock, rw.RUnlock}} {
		first.Lock()
		violation(t, Recursion, rw.Lock)
		violation(t, Recursion, rw.RLock)
		violation(t, Recursion, func() { rw.TryLock() })
		violation(t, Recursion, func() { rw.TryRLock() })
		first.Unlock()
	}
	AssertNoneHeld(Settings)
}

// Two of a rank are one too many, for reading and by trying too.
func TestSecond(t *testing.T) {
	var a, b atomic.Uint32
	for _, m := range []Mode{Read, Write} {
		Acquire(Slot, IDOf(&a), m)
		Acquired(IDOf(&a))
		violation(t, Second, func() { Acquire(Slot, IDOf(&b), m) })
		violation(t, Second, func() { Try(Slot, IDOf(&b), Write) })
		Release(Slot, IDOf(&a), m)
	}
	AssertNoneHeld(Settings)
}

// Waiting against the order is a violation, trying is not; what was got by
// trying counts.
func TestOrder(t *testing.T) {
	var class Mutex[ClassRank]
	var leaf, leaf2 Mutex[LeafRank]
	leaf.Lock()
	violation(t, Order, class.Lock)
	if !class.TryLock() {
		t.Fatal("a free lock refused TryLock")
	}
	violation(t, Second, leaf2.Lock)
	class.Unlock()
	leaf.Unlock()

	var slot atomic.Uint32
	class.Lock()
	Try(Slot, IDOf(&slot), Write)
	Tried(Slot, IDOf(&slot), Write, false)
	violation(t, Unheld, func() { AssertHeld(Slot, IDOf(&slot), Write) })
	Try(Slot, IDOf(&slot), Write)
	Tried(Slot, IDOf(&slot), Write, true)
	AssertHeld(Slot, IDOf(&slot), Write)
	var opens Mutex[OpensRank]
	violation(t, Order, opens.Lock)
	Release(Slot, IDOf(&slot), Write)
	class.Unlock()
	AssertNoneHeld(Settings)
}

func TestStranger(t *testing.T) {
	var m Mutex[ClassRank]
	violation(t, Stranger, m.Unlock)
	m.Lock()
	apart(func() {
		v := violation(t, Stranger, m.Unlock)
		if !strings.Contains(v.Error(), "TestStranger") {
			t.Errorf("the holder's stack is missing: %v", v)
		}
	})
	m.Unlock()

	var rw RWMutex[GateRank]
	rw.RLock()
	violation(t, Stranger, rw.Unlock)
	apart(func() { violation(t, Stranger, rw.RUnlock) })
	rw.RUnlock()
	AssertNoneHeld(Settings)
}

func TestLeak(t *testing.T) {
	var pass Mutex[PassRank]
	var leaf Mutex[LeafRank]
	pass.Lock()
	AssertNoneHeld(Crew)
	violation(t, Leak, func() { AssertNoneHeld(Pass) })
	apart(func() { AssertNoneHeld(Settings) })
	leaf.Lock()
	pass.Unlock()
	violation(t, Leak, func() { AssertNoneHeld(Pass) })
	leaf.Unlock()
	AssertNoneHeld(Settings)
}

func TestUnheld(t *testing.T) {
	var slot atomic.Uint32
	id := IDOf(&slot)
	violation(t, Unheld, func() { AssertHeld(Slot, id, Read) })
	Acquire(Slot, id, Read)
	violation(t, Unheld, func() { AssertHeld(Slot, id, Read) }) // still waiting
	violation(t, Stranger, func() { Release(Slot, id, Read) })
	Acquired(id)
	AssertHeld(Slot, id, Read)
	violation(t, Unheld, func() { AssertHeld(Slot, id, Write) })
	apart(func() { violation(t, Unheld, func() { AssertHeld(Slot, id, Read) }) })
	Release(Slot, id, Read)
}

// The text names both locks, the goroutines, and the places.
func TestText(t *testing.T) {
	var held, wanted Mutex[LeafRank]
	lockHeld := func() { held.Lock() }
	lockHeld()
	defer held.Unlock()

	locked, seen := make(chan struct{}), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wanted.Lock()
		close(locked)
		<-seen
		wanted.Unlock()
	}()
	<-locked
	text := violation(t, Second, func() { wanted.Lock() }).Error()
	close(seen)
	<-ended
	for _, part := range []string{
		"two locks of one rank", "TestText.func1\n", "TestText.func2\n", "TestText.func3\n", "lockdep_test.go:",
		fmt.Sprintf("waits for leaf lock %#x (write); it holds leaf lock %#x (write)", uintptr(idOf(&wanted)), uintptr(idOf(&held))),
	} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing", part)
		}
	}
	if strings.Count(text, "\ngoroutine ") != 3 {
		t.Errorf("want three stacks: the caller, his other lock, the holder")
	}
	if t.Failed() {
		t.Log(text)
	}
}

func TestLongest(t *testing.T) {
	var m Mutex[CrewRank]
	find := func() LongestHold {
		for _, l := range Longest() {
			if l.Rank == Crew {
				return l
			}
		}
		return LongestHold{}
	}
	hold := func(d time.Duration) {
		m.Lock()
		time.Sleep(d)
		m.Unlock()
	}
	before := find().Took + 10*time.Millisecond
	hold(before)
	first := find()
	if first.Took < before || first.Mode != Write || !strings.Contains(first.Callers(), "lockdep.TestLongest") {
		t.Errorf("held for %v: %v by %s", before, first.Took, first.Callers())
	}
	hold(0)
	if got := find(); got.Took != first.Took {
		t.Errorf("a short hold made it %v, was %v", got.Took, first.Took)
	}
	var text strings.Builder
	WriteLongest(&text)
	if !strings.Contains(text.String(), "crew") {
		t.Errorf("no line about it:\n%s", &text)
	}
}

func TestAllocatesNothing(t *testing.T) {
	var rw RWMutex[SettingsRank]
	var m Mutex[ClassRank]
	if n := testing.AllocsPerRun(100, func() {
		rw.RLock()
		m.Lock()
		AssertNoneHeld(ranks)
		m.Unlock()
		rw.RUnlock()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A lock keeps its name while the stack of who holds it moves.
func TestLockOfAGrowingStack(t *testing.T) {
	apart(func() {
		var m Mutex[ClassRank]
		m.Lock()
		deep(1000)
		m.Unlock()
	})
}

func deep(n int) int {
	var room [64]int
	if n > 0 {
		room[n%len(room)] = deep(n - 1)
	}
	return room[0] + room[n%len(room)]
}

// Goroutines share shards and come and go; each sees its own locks only.
func TestManyGoroutines(t *testing.T) {
	const goroutines, rounds = 3 * len(shards), 50
	locks := make([]RWMutex[ClassRank], 16)
	var leaf Mutex[LeafRank]
	var wg sync.WaitGroup
	for i := range goroutines {
		wg.Go(func() {
			for n := range rounds {
				l := &locks[(i+n)%len(locks)]
				if (i+n)%3 == 0 {
					l.Lock()
					leaf.Lock()
					leaf.Unlock() //lint:ignore SA2001 the lock alone is tested
					l.Unlock()
				} else {
					l.RLock()
					AssertHeld(Class, idOf(l), Read)
					l.RUnlock()
				}
				AssertNoneHeld(Settings)
			}
		})
	}
	wg.Wait()
	for i := range shards {
		for _, g := range shards[i].goroutines {
			if g.id != 0 || g.n != 0 {
				t.Errorf("goroutine %d is left with %d locks", g.id, g.n)
			}
		}
	}
}
