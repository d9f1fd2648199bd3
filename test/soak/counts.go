package soak

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"
)

// Kinds of errors that requests got for a reason.
const (
	notSetUp = iota
	memLimit
	codecFailed
	noMemory
	otherError
	errorKinds
)

var errorNames = [errorKinds]string{"not set up", "memory limit", "codec", "no memory", "other"}

// rows is more than any table of requests or verbs has.
const rows = 16

// counts is what happened so far.
type counts struct {
	requests  [rows]atomic.Uint64 // by row of requests
	verbs     [rows]atomic.Uint64 // by row of controlVerbs
	errors    [errorKinds]atomic.Uint64
	resets    atomic.Uint64
	resetBusy atomic.Uint64 // refused to the landlord
	openBusy  atomic.Uint64 // refused because of a reset
	restless  atomic.Uint64 // checks that gave up
	rests     atomic.Uint64 // disks looked at at rest
	probes    atomic.Uint64
	storms    atomic.Uint64
	compacted atomic.Uint64 // pages, seen at rest
	replaced  atomic.Uint64 // pages, by recompression
	overtaken atomic.Uint64 // pages used while they were recompressed
	written   atomic.Uint64 // pages, back
	late      atomic.Uint64 // pages used while they were written back
	full      atomic.Uint64 // writebacks that stopped for want of blocks or budget
}

// line is a line about all of it.
func (s *soak) line() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v:", time.Duration(s.now()-int64(time.Second)).Round(time.Second/10))
	c := &s.counts
	for i := range requests {
		fmt.Fprintf(&b, " %s %d,", requests[i].name, c.requests[i].Load())
	}
	for i := range controlVerbs {
		fmt.Fprintf(&b, " %s %d,", controlVerbs[i].name, c.verbs[i].Load())
	}
	fmt.Fprintf(&b, " checks that gave up %d; errors:", c.restless.Load())
	for i := range c.errors {
		fmt.Fprintf(&b, " %s %d,", errorNames[i], c.errors[i].Load())
	}
	fmt.Fprintf(&b, " opens refused %d; resets %d, refused %d; looked at at rest %d, probes %d, storms %d, pages compacted %d, recompressed %d, overtaken %d, written back %d, overtaken %d, stopped %d",
		c.openBusy.Load(), c.resets.Load(), c.resetBusy.Load(), c.rests.Load(), c.probes.Load(), c.storms.Load(), c.compacted.Load(), c.replaced.Load(), c.overtaken.Load(),
		c.written.Load(), c.late.Load(), c.full.Load())
	return b.String()
}
