package failpoint

import (
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Board has a cell for each point. Several processes may share one.
type Board struct {
	cells [numberOfPoints]cell
}

// cell is what is to happen at a point, and what has.
type cell struct {
	left   atomic.Int64  // hits until something happens; 0 = nothing will
	again  atomic.Int64  // left after that
	action atomic.Uint32 // Action
	pid    atomic.Int32  // of the process that it happened to last
	arg    atomic.Uint64 // nanoseconds of a stall, errno of a failure
	hits   atomic.Uint64 // ever
	fired  atomic.Uint64 // ever
	when   atomic.Int64  // the last time, nanoseconds of the monotonic clock
	_      [8]byte
}

// Arm adds orders. One for a point that has an order replaces it.
func (b *Board) Arm(orders ...Order) {
	for _, o := range orders {
		c := &b.cells[o.Point]
		c.left.Store(0)
		c.again.Store(0)
		c.action.Store(uint32(o.Action))
		c.arg.Store(o.arg)
		if o.Repeat {
			c.again.Store(o.Nth)
		}
		c.left.Store(o.Nth)
	}
}

// Disarm takes all orders off.
func (b *Board) Disarm() {
	for p := range b.cells {
		b.cells[p].left.Store(0)
		b.cells[p].again.Store(0)
	}
}

// Record is what has happened at a point.
type Record struct {
	Hits, Fired uint64        // since the board was made
	Armed       bool          // an order is open
	PID         int           // of the process that it happened to last
	When        time.Duration // the last time, by Now
}

// Record returns what has happened at a point so far.
func (b *Board) Record(p Point) Record {
	c := &b.cells[p]
	return Record{
		Hits:  c.hits.Load(),
		Fired: c.fired.Load(),
		Armed: c.left.Load() > 0,
		PID:   int(c.pid.Load()),
		When:  time.Duration(c.when.Load()),
	}
}

// Now is the time on the clock of Record.When, the same in all processes, in
// nanoseconds.
func Now() int64 {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return 0
	}
	return now.Nano()
}
