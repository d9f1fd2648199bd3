//go:build invariants || race

package lockdep

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// LongestHold is for how long a lock of a rank was held at most, and by whom.
type LongestHold struct {
	Rank  Rank
	Mode  Mode
	Took  time.Duration
	Stack []uintptr // callers of who took it, as of runtime.Callers
}

var longest [ranks]struct {
	took atomic.Int64 // nanoseconds; written with mu held
	mu   sync.Mutex
	hold hold
}

// noteLongest is told of each hold when it ends.
func noteLongest(h *hold, took time.Duration) {
	l := &longest[h.rank]
	if int64(took) <= l.took.Load() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if int64(took) > l.took.Load() {
		l.hold = *h
		l.took.Store(int64(took))
	}
}

// Longest is the longest hold of each rank that was ever held, outermost first.
// Holds that have not ended do not count.
func Longest() (list []LongestHold) {
	for i := range longest {
		l := &longest[i]
		l.mu.Lock()
		if took := l.took.Load(); took > 0 {
			h := l.hold
			list = append(list, LongestHold{h.rank, h.mode, time.Duration(took), h.stack[:h.depth]})
		}
		l.mu.Unlock()
	}
	return list
}

// WriteLongest writes a line about the longest hold of each rank.
func WriteLongest(w io.Writer) {
	for _, l := range Longest() {
		fmt.Fprintf(w, "lockdep: %-8v held %v at most (%s): %s\n", l.Rank, l.Took, l.Mode, l.Callers())
	}
}

// Callers names the innermost callers outside this package.
func (l LongestHold) Callers() string {
	var names []string
	for frames, more := runtime.CallersFrames(l.Stack), len(l.Stack) > 0; more && len(names) < 4; {
		var f runtime.Frame
		f, more = frames.Next()
		if strings.Contains(f.Function, "/lockdep.") && !strings.HasSuffix(f.File, "_test.go") {
			continue
		}
		names = append(names, f.Function[strings.LastIndex(f.Function, "/")+1:])
	}
	return strings.Join(names, " < ")
}
