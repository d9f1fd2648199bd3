package offheap

import (
	"errors"
	"syscall"
	"testing"
)

// TestSetFormat: what a process takes over says what it makes, within what it can.
func TestSetFormat(t *testing.T) {
	t.Cleanup(func() { format.Store(FormatVersion) })
	for _, version := range []uint32{0, OldestVersion - 1, FormatVersion + 1} {
		if err := SetFormat(version); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("format %d: %v, want EINVAL", version, err)
		}
	}
	for version := uint32(OldestVersion); version <= FormatVersion; version++ {
		if err := SetFormat(version); err != nil {
			t.Fatal(err)
		}
		a, err := New(Scratch, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		if a.Version() != version {
			t.Errorf("an arena of format %d, want %d", a.Version(), version)
		}
		if fd := a.FD(); fd >= 0 { // memory that can be handed over
			if got, err := VersionOf(fd); err != nil || got != version {
				t.Errorf("its descriptor says %d, %v", got, err)
			}
		}
		a.Close()
	}
	if _, err := VersionOf(-1); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("no descriptor: %v, want EINVAL", err)
	}
}
