//go:build race

package offheap

import "syscall"

// Unswappable is EOPNOTSUPP: these arenas are Go heap memory.
func Unswappable() error { return syscall.EOPNOTSUPP }
