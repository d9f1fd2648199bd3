package store

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// pageCall is what a worker asked of a page, and what came of it.
type pageCall struct {
	what     pageVerb
	page     int
	from, to int    // sectors
	stamp    uint32 // of a write
	failed   bool   // it must have had no effect then
	got      stamps // by a read
}

type pageVerb int

const (
	pageBegin pageVerb = iota // a read at rest, of what a round begins with
	pageRead
	pageWrite
	pageDiscard // as a write of stamp 0
	pageHint    // likewise, or nothing if it fails
)

var pageVerbs = [...]string{"begin", "read", "write", "discard", "hint"}

func (v pageVerb) reads() bool { return v <= pageRead }

func (c pageCall) String() string {
	s := fmt.Sprintf("%s %d-%d", pageVerbs[c.what], c.from, c.to-1)
	switch {
	case c.failed:
		s += " failed"
	case c.what.reads():
		s += fmt.Sprint(": ", c.got[c.from:c.to])
	case c.what == pageWrite:
		s += fmt.Sprint(" = ", c.stamp)
	}
	return s
}

// pageModel is one page as a register: whatever its callers overlap, the page
// must behave as if they had come one after another, each between its call and
// its return. Parts of pages are read, changed and written as one step.
var pageModel = porcupine.Model{
	Init: func() any { return stamps{} },
	Step: func(state, input, _ any) (bool, any) {
		s, c := state.(stamps), input.(pageCall)
		switch {
		case c.what == pageBegin:
			return true, c.got
		case c.failed:
			return true, s
		case c.what.reads():
			for i := c.from; i < c.to; i++ {
				if c.got[i] != s[i] {
					return false, s
				}
			}
			return true, s
		}
		for i := c.from; i < c.to; i++ {
			s[i] = c.stamp
		}
		return true, s
	},
	DescribeOperation: func(input, _ any) string { return input.(pageCall).String() },
}

// byPage partitions a history: pages are independent of each other.
func byPage(history []porcupine.Operation, pages int) [][]porcupine.Operation {
	parts := make([][]porcupine.Operation, pages)
	for _, o := range history {
		page := o.Input.(pageCall).page
		parts[page] = append(parts[page], o)
	}
	return parts
}

// overlapping is how many operations of one page's history, sorted by call,
// began before all earlier ones had ended.
func overlapping(history []porcupine.Operation) (n int) {
	var latest int64
	for i, o := range history {
		if i > 0 && o.Call < latest {
			n++
		}
		latest = max(latest, o.Return)
	}
	return n
}
