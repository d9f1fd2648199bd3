package fusefs

import (
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"uzram/internal/status"
)

// runtimeFigures stops all goroutines for a moment, tens of microseconds.
func runtimeFigures() status.Runtime {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var use unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &use) // zeros where it fails
	return status.Runtime{
		Mallocs:        m.Mallocs,
		HeapBytes:      m.HeapAlloc,
		GCCycles:       m.NumGC,
		Goroutines:     runtime.NumGoroutine(),
		GCPauseTotalNS: m.PauseTotalNs,
		GCPauseMaxNS:   slices.Max(m.PauseNs[:]),
		MinorFaults:    use.Minflt,
		MajorFaults:    use.Majflt,
	}
}
