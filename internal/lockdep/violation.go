//go:build invariants || race

package lockdep

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/petermattis/goid"
)

// Kind is the rule that was broken. See the package comment.
type Kind uint8

const (
	Recursion Kind = iota
	Second
	Order
	Stranger
	Leak
	Unheld
)

var kindNames = [...]string{
	Recursion: "recursion", Second: "two locks of one rank", Order: "wrong order",
	Stranger: "release by a stranger", Leak: "lock left behind", Unheld: "lock not held",
}

func (k Kind) String() string { return kindNames[k] }

// Violation is what a broken rule panics with.
type Violation struct {
	Kind Kind
	text string
}

func (v *Violation) Error() string { return v.text }

// Provoke runs f, which is to break a rule, for a test. It returns nil if f does
// not. Locks that f took and did not give back stay taken.
func Provoke(f func()) (v *Violation) {
	defer func() {
		if p := recover(); p != nil {
			var ok bool
			if v, ok = p.(*Violation); !ok {
				panic(p)
			}
		}
	}()
	f()
	return nil
}

// fail panics about a lock that the caller's caller does something to, and about
// one that it has, if the rule is about two. It unlocks the shard.
func (s *shard) fail(kind Kind, does string, r Rank, id ID, m Mode, with *hold) {
	me := goid.Get()
	var text strings.Builder
	fmt.Fprintf(&text, "lockdep: %v: goroutine %d %s %v lock %#x (%v)", kind, me, does, r, uintptr(id), m)
	var other hold
	if with != nil {
		other = *with
		fmt.Fprintf(&text, "; it %v", &other)
	}
	s.mu.Unlock()

	fmt.Fprintf(&text, "\n\ngoroutine %d is at:\n", me)
	var stack [maxDepth]uintptr
	writeStack(&text, stack[:runtime.Callers(3, stack[:])])
	if with != nil {
		fmt.Fprintf(&text, "\ngoroutine %d %v, asked for at:\n", me, &other)
		writeStack(&text, other.stack[:other.depth])
	}
	writeUsers(&text, id, me)
	panic(&Violation{kind, text.String()})
}

func (h *hold) String() string {
	does := "holds"
	if h.waiting {
		does = "waits for"
	}
	return fmt.Sprintf("%s %v lock %#x (%v)", does, h.rank, uintptr(h.id), h.mode)
}

// writeUsers tells which goroutines but one hold a lock or wait for it, as far
// as that keeps still.
func writeUsers(w io.Writer, id ID, but int64) {
	for i := range shards {
		s := &shards[i]
		s.mu.Lock()
		for j := range s.goroutines {
			g := &s.goroutines[j]
			if h := g.have(id); h != nil && g.id != but {
				fmt.Fprintf(w, "\ngoroutine %d %v for %v, asked for at:\n", g.id, h, time.Since(start)-h.since)
				writeStack(w, h.stack[:h.depth])
			}
		}
		s.mu.Unlock()
	}
}

func writeStack(w io.Writer, stack []uintptr) {
	for frames, more := runtime.CallersFrames(stack), len(stack) > 0; more; {
		var f runtime.Frame
		f, more = frames.Next()
		fmt.Fprintf(w, "\t%s\n\t\t%s:%d\n", f.Function, f.File, f.Line)
	}
}
