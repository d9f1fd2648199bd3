//go:build failpoints || invariants || race

package failpoint

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// Enabled reports whether points are compiled in.
const Enabled = true

var (
	board    atomic.Pointer[Board]
	observer atomic.Pointer[func(Point)]
)

func init() {
	b, err := inherited()
	if err != nil {
		fmt.Fprintln(os.Stderr, "failpoint:", err)
		os.Exit(2)
	}
	board.Store(b)
}

// inherited is the board that the environment asks for.
func inherited() (*Board, error) {
	if path := os.Getenv(BoardEnv); path != "" {
		return OpenBoard(path)
	}
	b := new(Board)
	orders, err := Parse(os.Getenv(Env))
	if err == nil {
		b.Arm(orders...)
	}
	return b, err
}

// due counts a hit and reports whether it is the one. Of several at a time one
// sees the count reach 0.
func (c *cell) due() bool {
	c.hits.Add(1)
	if c.left.Load() <= 0 || c.left.Add(-1) != 0 {
		return false
	}
	c.left.Store(c.again.Load())
	return true
}

func (c *cell) note() {
	c.pid.Store(int32(os.Getpid()))
	c.when.Store(Now())
	c.fired.Add(1)
}

// Hit is where the process may die or stall.
func Hit(p Point) {
	if f := observer.Load(); f != nil {
		(*f)(p)
	}
	c := &board.Load().cells[p]
	if !c.due() {
		return
	}
	switch Action(c.action.Load()) {
	case Kill:
		c.note()
		die()
	case Stall:
		c.note()
		time.Sleep(time.Duration(c.arg.Load()))
	}
}

// die ends the process before the calling thread gets on by one instruction.
func die() {
	for {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
}

// Error is what a step is to fail with, nil if it is not to fail. It may die or
// stall as Hit does.
func Error(p Point) error {
	c := &board.Load().cells[p]
	switch Action(c.action.Load()) {
	case Short:
		return nil // Cut counts the hit
	case Fail:
	default:
		Hit(p)
		return nil
	}
	if !c.due() {
		return nil
	}
	c.note()
	return syscall.Errno(c.arg.Load())
}

// Cut is how many of n bytes are to be delivered: half of them where the order
// is short.
func Cut(p Point, n int) int {
	c := &board.Load().cells[p]
	if Action(c.action.Load()) != Short || !c.due() {
		return n
	}
	c.note()
	return n / 2
}

// Set takes orders (Parse) in place of all that the board had. EINVAL: they
// cannot be read; the board is as it was.
func Set(text string) error {
	orders, err := Parse(text)
	if err != nil {
		return err
	}
	b := board.Load()
	b.Disarm()
	b.Arm(orders...)
	return nil
}

// Observe has f called at every Hit, on the goroutine that comes by; nil ends
// it. f may block.
func Observe(f func(Point)) {
	if f == nil {
		observer.Store(nil)
		return
	}
	observer.Store(&f)
}
