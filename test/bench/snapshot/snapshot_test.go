package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/undo"
)

func TestParseRefuses(t *testing.T) {
	for _, args := range [][]string{{"-rounds=0"}, {"-mib=0"}, {"-mib=2000000"}, {"-nothing"}} {
		if o, err := parse(args); err == nil {
			t.Errorf("%q: %+v", args, o)
		}
	}
	if o, err := parse([]string{"-algorithms=zstd"}); err != nil || len(o.algorithms) != 1 || o.mib != 1024 {
		t.Errorf("%+v, %v", o, err)
	}
}

// standIn does for a disk what the round asks of the program, with a directory in
// place of a mount: an image that can be written directly is not needed there.
const standIn = `#!/bin/sh
case $1 in
snapshot) cp "$3/mm_stat" "$4" ;;
mount) for dir; do :; done; echo 4096 2048 8192 0 >"$dir/mm_stat" ;;
umount) test -e "$2/mm_stat" ;;
esac
`

// TestMounted: what is mounted is unmounted, whatever becomes of its use.
func TestMounted(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "uzram")
	if err := os.WriteFile(program, []byte(standIn), 0o700); err != nil {
		t.Fatal(err)
	}
	var cleanup undo.Stack
	r := &round{options: options{binary: program}, dir: dir, undo: &cleanup}
	var used string
	if _, err := r.mounted(context.Background(), nil, func(dir string) error {
		used = dir
		if mem, err := usedTotal(dir); mem != 8192 || err != nil {
			t.Errorf("mem_used_total is %v, %v", mem, err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.mounted(context.Background(), nil, func(string) error { return os.ErrInvalid }); err != os.ErrInvalid {
		t.Errorf("%v", err)
	}
	if err := os.Remove(filepath.Join(used, "mm_stat")); err != nil {
		t.Fatal(err)
	}
	if err := cleanup.Unwind(); err != nil { // of the second one only
		t.Error(err)
	}
}

func TestAloneAndShow(t *testing.T) {
	f := &figures{algorithm: "lz4"}
	r := &round{data: make([]byte, 2<<20), buf: make([]byte, 1<<20)}
	if err := r.alone(f, filepath.Join(t.TempDir(), "file"), 5<<19); err != nil {
		t.Fatal(err)
	}
	if len(f.write) != 1 || len(f.read) != 1 {
		t.Fatalf("%+v", f)
	}
	one := report.Series{1}
	f.save, f.restore, f.memory, f.file, f.spread, f.saveSpeed, f.restoreSpeed = one, one, one, report.Series{2}, report.Series{2}, one, one
	var b bytes.Buffer
	show(&b, []*figures{f})
	for _, want := range []string{"| lz4 ", "ratio snapshot_size_lz4 ", "figure snapshot_restore_lz4 1.0 MiB/s"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}
