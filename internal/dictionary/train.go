package dictionary

import (
	"errors"
	"fmt"
)

// The fewest different pages that training and judging make sense with.
const (
	LeastTrained = 128
	LeastHeld    = 16
)

// The sizes in bytes that a dictionary may have; no algorithm takes a larger one.
const (
	LeastSize = 1 << 10
	MaxSize   = 64 << 10
)

// ErrTooFew says that there are not enough pages.
var ErrTooFew = errors.New("too few pages")

// ErrNothingShared says that pages have nothing in common that is worth a dictionary.
var ErrNothingShared = errors.New("the pages have nothing in common")

// Check says whether there are enough pages.
func (s *Split) Check() error {
	if len(s.Trained) >= LeastTrained && len(s.Held) >= LeastHeld {
		return nil
	}
	return fmt.Errorf("%w: %d different ones with data to train on and %d to judge by; at least %d and %d are needed",
		ErrTooFew, len(s.Trained), len(s.Held), LeastTrained, LeastHeld)
}

// Train returns a dictionary of size bytes at most for an algorithm, and for zstd in its other form as well: with entropy
// tables if raw is set, else content alone. other is nil if there is no other form.
func Train(pages [][]byte, algorithm string, size int, raw bool) (dict, other []byte, err error) {
	content := Content(pages, size)
	if len(content) < leastContent {
		return nil, nil, ErrNothingShared
	}
	if algorithm != "zstd" {
		return content, nil, nil
	}
	trained, err := WithTables(content, pages, size)
	switch {
	case raw && err != nil:
		return content, nil, nil
	case err != nil:
		return nil, nil, err
	case raw:
		return content, trained, nil
	}
	return trained, content, nil
}
