package ctldir

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestDir uses a plain directory: what matters here is that a write is one call without truncation, and the error words.
func TestDir(t *testing.T) {
	dir := t.TempDir()
	d := Open(dir)
	long := strings.Repeat("x", 100<<10)
	for name, text := range map[string]string{"disksize": "0\n", "debug/status": long} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := d.Read(name); err != nil || got != text {
			t.Errorf("Read(%s) = %d bytes, %v; want %d", name, len(got), err, len(text))
		}
	}
	if err := d.Write("disksize", "4096"); err != nil {
		t.Error(err)
	}
	if got, _ := d.Read("disksize"); got != "4096" {
		t.Errorf("after the write: %q", got)
	}
	if err := d.Write("disksize", "8"); err != nil {
		t.Error(err)
	}
	if got, _ := d.Read("disksize"); got != "8096" {
		t.Errorf("a write must not truncate: %q", got)
	}
}

func TestDir_EachLine(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for i := range 40000 { // more than one read holds
		want = append(want, strings.Repeat("x", i%17)+"y")
	}
	if err := os.WriteFile(filepath.Join(dir, "lines"), []byte(strings.Join(want, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := Open(dir).EachLine("lines", func(line string) error {
		got = append(got, line)
		return nil
	})
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d lines, %v; want %d", len(got), err, len(want))
	}
	stop := errors.New("enough")
	if err := Open(dir).EachLine("lines", func(string) error { return stop }); err != stop {
		t.Errorf("%v, want the caller's own error", err)
	}
	if err := Open(dir).EachLine("none", nil); !errors.Is(err, unix.ENOENT) {
		t.Errorf("no such attribute: %v", err)
	}
}

func TestDir_Errors(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "debug"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "disksize"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	d := Open(dir)
	for _, c := range []struct {
		name  string
		err   error
		errno syscall.Errno
		text  string
	}{
		{"missing attribute", d.Write("nosuch", "1"), unix.ENOENT, "nosuch=1: there is no such attribute"},
		{"missing directory", readError(Open(dir+"/none"), "size"), unix.ENOENT, "there is no such attribute"},
		{"directory", d.Write("debug", "1"), unix.EISDIR, "a directory, not an attribute"},
		{"too long", d.Write("disksize", strings.Repeat("1", 4097)), unix.E2BIG, "at most 4096 bytes"},
	} {
		if !errors.Is(c.err, c.errno) || !strings.Contains(c.err.Error(), c.text) {
			t.Errorf("%s: %v, want %v with %q", c.name, c.err, c.errno, c.text)
		}
	}
}

func readError(d Dir, attr string) error {
	_, err := d.Read(attr)
	return err
}

func TestError_Sentence(t *testing.T) {
	for _, c := range []struct {
		e    Error
		want string
	}{
		{Error{Op: "write", Attr: "disksize", Value: "1G", Errno: unix.EBUSY}, "disksize=1G: the device is already set up; reset it first"},
		{Error{Op: "write", Attr: "comp_algorithm", Value: "foo", Errno: unix.EINVAL},
			"comp_algorithm=foo: no such algorithm; comp_algorithm lists those there are"},
		{Error{Op: "write", Attr: "compact", Value: "1", Errno: unix.EINVAL}, "compact=1: the device is not set up; write disksize first"},
		{Error{Op: "write", Attr: "idle", Value: "a b\n", Errno: unix.EINVAL}, `idle="a b\n": it takes "all" or an age in seconds, and the device must be set up`},
		{Error{Op: "write", Attr: "mem_limit", Value: "", Errno: unix.EINVAL},
			`mem_limit="": it must be a number of bytes with an optional K M G T P E, 0 for no limit`},
		{Error{Op: "write", Attr: "mm_stat", Value: "1", Errno: unix.EACCES}, "mm_stat=1: it can only be read, or you may not write it"},
		{Error{Op: "read", Dir: "/d", Attr: "reset", Errno: unix.EACCES}, "/d/reset: it can only be written, or you may not read it"},
		{Error{Op: "read", Dir: "/d", Attr: "size", Errno: unix.ENOTCONN}, "/d/size: the daemon behind it is dead; clean up with uzram umount"},
		{Error{Op: "write", Attr: "disksize", Value: "1", Errno: unix.EDOM}, "disksize=1: " + unix.EDOM.Error()},
	} {
		if got := c.e.Error(); got != c.want {
			t.Errorf("%s %s %v:\n got %s\nwant %s", c.e.Op, c.e.Attr, c.e.Errno, got, c.want)
		}
		if !errors.Is(&c.e, c.e.Errno) {
			t.Errorf("%v does not wrap its errno", &c.e)
		}
	}
}
