package main

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseBacking(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.WriteFile("scsi-0:0:1G", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text string
		want backing
	}{
		{"/dev/sdx", backing{"/dev/sdx", 0}},
		{"file", backing{dir + "/file", 0}},
		{"file:1G", backing{dir + "/file", 1 << 30}},
		{"./a/../file:4096", backing{dir + "/file", 4096}},
		{"a:b", backing{dir + "/a:b", 0}},
		{"a:b:64KiB", backing{dir + "/a:b", 64 << 10}},
		{"a:", backing{dir + "/a:", 0}},
		{"a:-1", backing{dir + "/a:-1", 0}},
		{"scsi-0:0:1G", backing{dir + "/scsi-0:0:1G", 0}},
		{"scsi-0:0:1G:2G", backing{dir + "/scsi-0:0:1G", 2 << 30}},
	} {
		got, err := parseBacking(c.text)
		if err != nil || got != c.want {
			t.Errorf("%q: %+v, %v; want %+v", c.text, got, err, c.want)
		}
		if got.size == 0 {
			continue
		}
		if again, err := parseBacking(got.String()); err != nil || again != got {
			t.Errorf("%+v printed as %q is read as %+v, %v", got, got, again, err)
		}
	}
	for _, text := range []string{"", ":1G", "file:4095", "file:0", "file:8E"} {
		if got, err := parseBacking(text); exitCode(err) != exitUsage {
			t.Errorf("%q: %+v, %v; want a refusal", text, got, err)
		}
	}
}

// TestBacking_Making: a file goes again if and only if it was made here and something failed.
func TestBacking_Making(t *testing.T) {
	failure := errors.New("no")
	for _, c := range []struct {
		name        string
		there, made bool
		do          func() error
		stays       bool
	}{
		{"made", false, true, func() error { return nil }, true},
		{"made, failure", false, true, func() error { return failure }, false},
		{"made, signal", false, true, func() error {
			signals := make(chan os.Signal, 1)
			signal.Notify(signals, syscall.SIGTERM)
			err := unix.Kill(os.Getpid(), syscall.SIGTERM)
			<-signals
			signal.Stop(signals) // returns when the other listener has it too
			return err
		}, false},
		{"there", true, false, func() error { return nil }, true},
		{"there, failure", true, false, func() error { return failure }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := backing{filepath.Join(t.TempDir(), "file"), 1 << 30}
			if c.there {
				if err := os.WriteFile(b.path, []byte("mine"), 0o640); err != nil {
					t.Fatal(err)
				}
			}
			undo, err := b.making(func() error {
				st, err := os.Stat(b.path)
				if err != nil {
					t.Fatal(err)
				}
				blocks := st.Sys().(*syscall.Stat_t).Blocks
				if c.made && (st.Mode() != 0o600 || st.Size() != 1<<30 || blocks > 16) || c.there && st.Size() != 4 {
					t.Errorf("%v, %d bytes, %d blocks", st.Mode(), st.Size(), blocks)
				}
				return c.do()
			})
			_, serr := os.Stat(b.path)
			if (serr == nil) != c.stays || (err == nil) != c.stays && c.made {
				t.Errorf("%v; the file: %v", err, serr)
			}
			undo()
			if _, serr := os.Stat(b.path); (serr == nil) != c.there {
				t.Errorf("the file after undo: %v", serr)
			}
		})
	}
	if _, err := (backing{filepath.Join(t.TempDir(), "none", "file"), 4096}).making(nil); exitCode(err) != exitUsage {
		t.Errorf("no such directory: %v", err)
	}
}
