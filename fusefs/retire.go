package fusefs

import (
	"sync"
	"sync/atomic"
	"time"
)

// turnstile is where workers stop that are to take no more requests.
//
// INVARIANT: a worker that reads or serves is in working; one that waits here is not,
// and owes the kernel no answer.
type turnstile struct {
	shut atomic.Bool // stored under mu

	mu      sync.Mutex // a leaf
	working int
	changed *sync.Cond // by mu: shut
}

func newTurnstile(workers int) *turnstile {
	g := &turnstile{working: workers}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// wait returns when the turnstile is open.
func (g *turnstile) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.working--
	for g.shut.Load() {
		g.changed.Wait()
	}
	g.working++
}

// leave is for a worker that ends.
func (g *turnstile) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.working--
}

// set shuts or opens it and returns how many are not stopped.
func (g *turnstile) set(shut bool) (working int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut.Store(shut)
	g.changed.Broadcast()
	return g.working
}

// empty tells whether all have stopped or ended.
func (g *turnstile) empty() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.working == 0
}

const (
	// shutTime is how long nobody reads at the first try to find nothing under way;
	// each try has twice as long, up to mostShut.
	shutTime = 20 * time.Millisecond
	mostShut = 8 * shutTime
	// openTimes as long as that requests are served between two tries.
	openTimes = 3
	// retirePoll is how often it is looked whether all is done.
	retirePoll = 200 * time.Microsecond
)

// Retire ends the reading of requests and returns true when all that were read are
// answered: a process that takes over then finds nothing under way. The kernel keeps
// those that come meanwhile. Commands may take long and may need the disk, so it is
// served on until none is under way; what still is after patience is left to whoever
// takes over, as after a death. false: a request of the image does not end, or the
// mount has; it is served on.
func (m *Mount) Retire(patience time.Duration) (stopped bool) {
	_ = m.whileOpen(func() error {
		stopped = m.retire(time.Now().Add(patience))
		return nil
	})
	return stopped
}

// Resume takes a Retire back.
func (m *Mount) Resume() { m.gate.set(false) }

func (m *Mount) retire(end time.Time) bool {
	for shut := shutTime; ; shut = min(2*shut, mostShut) {
		for m.nodes.commands.Load() > 0 && time.Now().Before(end) {
			time.Sleep(retirePoll)
		}
		m.stopReading()
		if within(shut, func() bool { return m.gate.empty() && m.state.asides() == 0 }) {
			return true
		}
		late := !time.Now().Before(end)
		if late && (within(lastRequests, m.onlyCommands) || m.gate.empty()) {
			return true
		}
		m.gate.set(false)
		if late {
			return false
		}
		time.Sleep(openTimes * shut)
	}
}

// onlyCommands tells whether nothing is under way but what may be left.
func (m *Mount) onlyCommands() bool {
	return m.gate.empty() && m.state.asides() <= int(m.nodes.commands.Load())
}

// lastRequests is how long the last requests may take, which may wait for a backing
// device.
const lastRequests = 3 * time.Second

// stopReading has each worker stop when it has answered what it is at. One that waits
// for a request needs one.
func (m *Mount) stopReading() {
	for range m.gate.set(true) {
		m.wakeUp()
	}
}

// wakeUp makes the kernel send a request, which nobody has to answer: it does when it
// is asked what it has cached of a file that it knows. An image is one, or else that
// by which this was asked for.
func (m *Mount) wakeUp() {
	for id := range m.tree.files() {
		if m.notify.try(notifyRetrieve, retrieveOut(id)) == nil {
			return
		}
	}
	_ = m.notify.try(notifyRetrieve, retrieveOut(rootID)) // known for certain; some kernels refuse a directory
}

// within waits until something is so, but no longer than limit.
func within(limit time.Duration, so func() bool) bool {
	for end := time.Now().Add(limit); !so(); time.Sleep(retirePoll) {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}

// asides is how many requests run beside the workers, or wait to.
func (s *connState) asides() (n int) {
	for i := range s.aside {
		if s.aside[i].Load() != 0 {
			n++
		}
	}
	return n
}
