//go:build !failpoints && !invariants && !race

package failpoint

import "syscall"

// Enabled reports whether points are compiled in.
const Enabled = false

// Hit is where the process may die or stall.
func Hit(Point) {}

// Error is what a step is to fail with, nil if it is not to fail.
func Error(Point) error { return nil }

// Cut is how many of n bytes are to be delivered.
func Cut(_ Point, n int) int { return n }

// Set takes orders (Parse) in place of all that the board had. EOPNOTSUPP: no
// points are compiled in.
func Set(string) error { return syscall.EOPNOTSUPP }

// Observe has f called at every Hit, on the goroutine that comes by; nil ends
// it. f may block.
func Observe(func(Point)) {}
