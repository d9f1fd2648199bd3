package undo

import (
	"errors"
	"fmt"
	"sync"
)

// Stack is the steps that are to be taken back. The zero value is empty and
// ready. Safe for concurrent use.
type Stack struct {
	mu    sync.Mutex
	steps []step
}

type step struct {
	name string
	undo func() error
}

// Push registers how to take name back.
func (s *Stack) Push(name string, undo func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = append(s.steps, step{name, undo})
}

// Unwind takes all steps back, the last first. A step that fails does not keep
// the others from being taken; all errors are returned, with the steps' names.
// The stack is empty afterwards.
func (s *Stack) Unwind() error {
	s.mu.Lock()
	steps := s.steps
	s.steps = nil
	s.mu.Unlock()
	var all []error
	for i := len(steps) - 1; i >= 0; i-- {
		if err := steps[i].undo(); err != nil {
			all = append(all, fmt.Errorf("%s: %w", steps[i].name, err))
		}
	}
	return errors.Join(all...)
}
