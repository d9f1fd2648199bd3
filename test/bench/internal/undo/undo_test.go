package undo

import (
	"errors"
	"strings"
	"testing"
)

func TestUnwindGoesBackwardsPastErrors(t *testing.T) {
	var s Stack
	var order []string
	add := func(name string, err error) {
		s.Push(name, func() error {
			order = append(order, name)
			return err
		})
	}
	add("mount", nil)
	add("loop", errors.New("busy"))
	add("fill", nil)

	err := s.Unwind()
	if got := strings.Join(order, " "); got != "fill loop mount" {
		t.Errorf("taken back in the order %q", got)
	}
	if err == nil || err.Error() != "loop: busy" {
		t.Errorf("error %v, want loop: busy", err)
	}
	if err := s.Unwind(); err != nil || len(order) != 3 {
		t.Errorf("second Unwind: %v, steps taken %q", err, order)
	}
}
