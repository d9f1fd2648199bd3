package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// TestAbandon_Others: a mount that is none of uzram's is not taken down.
func TestAbandon_Others(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() == 0 { // else there is no mount at all, which is none of uzram's either
		if err := unix.Mount("none", dir, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	abandonUnserved(dir)
	for what, err := range map[string]error{"abandon": abandon(dir, 0), "takeOut": takeOut(dir, 7)} {
		if !errors.Is(err, mountinfo.ErrNotMounted) {
			t.Errorf("%s: %v, want %v", what, err, mountinfo.ErrNotMounted)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "mine")); err != nil {
		t.Errorf("it was taken down: %v", err)
	}
}
