package zramabi

import (
	"fmt"
	"strings"
	"syscall"
)

// PageRange is pages First to Last, both included.
type PageRange struct{ First, Last uint64 }

// Writeback is one write to writeback: the pages in Ranges whatever they are, or
// without ranges all that are everything that is asked for.
type Writeback struct {
	Idle, Huge, Incompressible bool
	Ranges                     []PageRange
}

// ParseWriteback reads a command for a disk of that many pages: page_index= and
// page_indexes=, and at the end a type, with type= or without. A type after
// ranges asks for nothing more than they do: it stands for the last of them.
// EINVAL: an unknown type, or not a number or range; ERANGE: a page past the
// disk's end, or a range with its ends reversed.
func ParseWriteback(s string, pages uint64) (Writeback, error) {
	var w Writeback
	for _, pair := range ParsePairs(s) {
		var err error
		switch {
		case pair.Value == "" || pair.Key == "type":
			// Whatever follows a type is ignored.
			return w.withType(pair)
		case pair.Key == "page_index":
			err = w.addRange(pair.Value, pair.Value, pages)
		case pair.Key == "page_indexes":
			first, last, ok := strings.Cut(pair.Value, "-")
			if !ok {
				err = fmt.Errorf("%.40q: want FIRST-LAST: %w", pair.Value, syscall.EINVAL)
			} else {
				err = w.addRange(first, last, pages)
			}
		}
		if err != nil {
			return Writeback{}, fmt.Errorf("%s: %w", pair.Key, err)
		}
	}
	return w, nil
}

func (w Writeback) withType(pair Pair) (Writeback, error) {
	name := pair.Key
	if pair.Value != "" {
		name = pair.Value
	}
	kind, ok := pageKinds[name]
	switch {
	case ok:
	case name == "incompressible":
	default:
		return Writeback{}, fmt.Errorf("%.40q: want idle, huge, huge_idle or incompressible, or page_index= or page_indexes=: %w", name, syscall.EINVAL)
	}
	if len(w.Ranges) == 0 {
		w.Idle, w.Huge, w.Incompressible = kind.idle, kind.huge, !ok
	}
	return w, nil
}

func (w *Writeback) addRange(first, last string, pages uint64) error {
	var r PageRange
	var err error
	if r.First, err = ParseU10(first, 64); err != nil {
		return err
	}
	if r.Last, err = ParseU10(last, 64); err != nil {
		return err
	}
	if r.Last >= pages || r.First > r.Last {
		return fmt.Errorf("pages %d-%d: want pages 0 to %d, ascending: %w", r.First, r.Last, pages-1, syscall.ERANGE)
	}
	w.Ranges = append(w.Ranges, r)
	return nil
}
