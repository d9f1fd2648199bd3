//go:build !clib

package main

import (
	"strings"
	"testing"
)

// Without C's codecs there is nothing to say, and how to have them must be said.
func TestRefusesWithoutC(t *testing.T) {
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "-tags clib") {
		t.Errorf("%v, want to be told of the tag", err)
	}
}
