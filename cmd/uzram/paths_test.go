package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestCanonical(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(base)
	for _, err := range []error{
		os.MkdirAll("a/b", 0o700),
		os.Symlink("a", "toA"),
		os.Symlink("toA/b", "toB"),
		os.Symlink("loop", "loop"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b := filepath.Join(base, "a/b")
	for in, want := range map[string]string{
		"a/b": b, "a/../a/b/": b, b: b, "toA/b": b, "toB": b, "toB/": b, "a/missing": filepath.Join(base, "a/missing"), "/": "/",
		".": base, "..": filepath.Dir(base),
	} {
		if got, err := canonical(in); err != nil || got != want {
			t.Errorf("canonical(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
	if got, err := canonical("missing/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("canonical(missing/b) = %q, %v; want ErrNotExist", got, err)
	}
	if got, err := canonical("loop"); err == nil {
		t.Errorf("canonical(loop) = %q, want an error", got)
	}
}
