package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"uzram/internal/ctldir"
	"uzram/internal/zramconf"
)

func TestSortParams(t *testing.T) {
	a, r, unknown := sortParams(`level=3 type=idle dict=/a threshold=9 dictionary=/x word`)
	if !slices.Equal(a, []string{"level=3", "dict=/a"}) || !slices.Equal(r, []string{"type=idle", "threshold=9"}) ||
		!slices.Equal(unknown, []string{"dictionary=/x", "word"}) {
		t.Errorf("%q %q %q", a, r, unknown)
	}
}

// TestUpSettings writes to plain files, of which each holds what was written to it last.
func TestUpSettings(t *testing.T) {
	dir := t.TempDir()
	attrs := []string{"comp_algorithm", "recomp_algorithm", "algorithm_params", "backing_dev", "mem_limit", "disksize", "recompress"}
	for _, name := range attrs {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stderr bytes.Buffer
	r := upRun{stderr: &stderr}
	err := r.settings(ctldir.Open(dir), zramconf.Device{
		Number: 2, Size: 1 << 20, MemLimit: 4096, WritebackDevice: "/dev/x", Recompress: "type=huge",
		Algorithms: []zramconf.Algorithm{{Name: "lz4"}, {Name: "zstd", Params: "level=3 speed=9"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"comp_algorithm": "lz4", "recomp_algorithm": "algo=zstd priority=1", "algorithm_params": "priority=1 level=3",
		"backing_dev": "/dev/x", "mem_limit": "4096", "disksize": "1048576", "recompress": "type=huge",
	}
	for _, name := range attrs {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want[name] {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want[name])
		}
	}
	if !strings.Contains(stderr.String(), "uzram: warning: zram2: zstd(speed=9) is ignored") {
		t.Errorf("warnings: %q", stderr.String())
	}
}
