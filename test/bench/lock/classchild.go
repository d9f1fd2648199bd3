package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/park"
)

const (
	holdTime  = 200 * time.Microsecond // of CPU, for which the normal thread holds the lock, and then does not
	pauseTime = time.Millisecond       // that the FIFO thread sleeps between its turns
)

// classChild shares one lock between a SCHED_FIFO thread and a normal one on
// the same CPU. Every other time that the FIFO thread wakes, the normal one holds
// the lock and loses the CPU in the midst of that.
func classChild(name string, d time.Duration, out io.Writer) error {
	debug.SetGCPercent(-1)
	// Whoever waits in the runtime for a processor waits for a CPU: have more
	// than there are threads that compute.
	runtime.GOMAXPROCS(4)
	// The last guard, and the kernel's own: it kills a FIFO thread that does not
	// sleep for this long.
	limit := uint64((maxClassTime + time.Second).Microseconds())
	if err := unix.Setrlimit(unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("limit real-time threads: %w", err)
	}
	theirs, ours, err := splitCPUs()
	if err != nil {
		return err
	}
	if err := confineProcess(&theirs); err != nil {
		return err
	}
	p := &pair{locks: kindNamed(name).make(1), cpu: ours, start: make(chan struct{})}
	ready := make(chan error)
	var result classResult
	var wg sync.WaitGroup
	wg.Go(func() { result.Normal = p.normal(ready) })
	wg.Go(func() { result.FIFO = p.fifo(ready) })
	for range 2 {
		if err := <-ready; err != nil {
			return err
		}
	}
	close(p.start)
	time.Sleep(d)
	p.done.Store(true)
	// From here on the two are equal, so both come to their end whatever the lock.
	if err := setClass(p.fifoThread, unix.SCHED_NORMAL, 0); err != nil {
		return err
	}
	wg.Wait()
	return json.NewEncoder(out).Encode(result)
}

// pair is what the two threads share.
type pair struct {
	locks
	cpu        unix.CPUSet
	start      chan struct{}
	done       atomic.Bool
	fifoThread int
}

// normal takes the lock again and again and computes with it held.
func (p *pair) normal(ready chan<- error) (t turns) {
	runtime.LockOSThread()
	ready <- unix.SchedSetaffinity(0, &p.cpu)
	<-p.start
	work, w := new(burner), park.NewWaiter()
	for !p.done.Load() {
		asked := time.Now()
		p.lock(0, w)
		t.Longest = max(t.Longest, time.Since(asked))
		work.burn(holdTime)
		p.unlock(0)
		work.burn(holdTime)
		t.Count++
	}
	return t
}

// fifo takes the lock for a moment, and sleeps.
func (p *pair) fifo(ready chan<- error) (t turns) {
	runtime.LockOSThread()
	p.fifoThread = unix.Gettid()
	err := unix.SchedSetaffinity(0, &p.cpu)
	if err == nil {
		err = setClass(0, unix.SCHED_FIFO, 1)
	}
	ready <- err
	<-p.start
	w := park.NewWaiter()
	for !p.done.Load() {
		// The thread itself sleeps: time.Sleep would want another to wake it.
		pause := unix.NsecToTimespec(int64(pauseTime))
		if err := unix.Nanosleep(&pause, nil); err != nil {
			continue
		}
		asked := time.Now()
		p.lock(0, w)
		t.Longest = max(t.Longest, time.Since(asked))
		p.unlock(0)
		t.Count++
	}
	return t
}

// burner uses up CPU by copying a page.
type burner struct{ from, to [pageBytes]byte }

// burn computes until the calling thread had d of CPU; time for which the CPU
// was taken from it does not count.
func (b *burner) burn(d time.Duration) {
	for begin := threadTime(); threadTime()-begin < d; {
		for range 64 {
			copy(b.to[:], b.from[:])
		}
	}
}
