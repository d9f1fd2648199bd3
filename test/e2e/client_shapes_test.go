package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestClientShapes_Write: one command reaches an attribute whatever way a client writes it.
func TestClientShapes_Write(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	const trunc = unix.O_CREAT | unix.O_TRUNC
	for _, tt := range []struct {
		name, text string
		flags      int
		n          int // what the call must return
	}{
		{"no newline", "8192", 0, 4},
		{"newline", "8192\n", 0, 5},
		{"create and truncate", "8192\n", trunc, 5},
		{"append", "8192\n", unix.O_APPEND, 5},
		{"create, truncate, append", "8192\n", trunc | unix.O_APPEND, 5},
		{"synchronous", "8192\n", unix.O_SYNC, 5},
		{"read and write", "8192\n", unix.O_RDWR, 5},
		{"second line", "8192\nnonsense\n", 0, 14},
		{"long", "8192\n" + strings.Repeat("x", 6000), 0, page},
		{"longest", "8192\n" + strings.Repeat("x", page-5), 0, page},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n, err := harness.WriteFile(dev.Path("disksize"), tt.text, tt.flags)
			if err != nil || n != tt.n {
				t.Errorf("write of %d bytes: %d, %v; want %d", len(tt.text), n, err, tt.n)
			}
			if got := dev.Get("disksize"); got != "8192" {
				t.Errorf("disksize is %q, want 8192", got)
			}
			dev.Set("reset", "1")
		})
	}
}

// TestClientShapes_Shell: what shells and the programs in scripts do.
func TestClientShapes_Shell(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	for _, tt := range []struct{ script, out string }{
		{`echo 8192 > disksize && cat disksize initstate`, "8192\n1\n"},
		{`printf 8192 >> disksize && cat disksize`, "8192\n"},
		{`echo 8192 | tee disksize > /dev/null && cat disksize`, "8192\n"},
		{`echo 8K | dd of=disksize status=none && cat disksize`, "8192\n"},
		{`echo 8192 > disksize && read -r x < disksize && echo "<$x>"`, "<8192>\n"},
		{`echo 8192 > disksize && head -c 2 disksize`, "81"},
		{`echo 8192 > disksize && dd if=disksize bs=1 status=none`, "8192\n"},
		{`echo zstd > comp_algorithm && echo 8192 > disksize && grep -o '\[.*\]' comp_algorithm`, "[zstd]\n"},
		{`exec 3>mem_limit && echo 1M >&3 && echo 2M >&3 && awk '{print $4}' mm_stat`, "2097152\n"},
		{`exec 3<>disksize && cat <&3 && echo 8192 >&3 && cat disksize`, "0\n8192\n"},
		{`: > reset; : > disksize; cat disksize`, "0\n"},
		{`stat -c %s disksize mm_stat reset`, "4096\n4096\n4096\n"},
		{`cp mm_stat /dev/null && ls -l > /dev/null && find . -type f | wc -l | grep -qx '[1-9][0-9]*' && echo fine`, "fine\n"},
		{`(echo 0 > disksize) 2>/dev/null || echo refused`, "refused\n"},
		{`(echo 1 > mm_stat) 2>/dev/null || echo refused`, "refused\n"},
		{`cat reset 2>/dev/null || echo refused`, "refused\n"},
	} {
		t.Run(tt.script, func(t *testing.T) {
			res := (&harness.Cmd{Args: []string{"sh", "-c", tt.script}, Dir: dev.Dir}).Try(t)
			if res.Err != nil || res.Stdout != tt.out {
				t.Errorf("status %d, output %q (%s), want %q", res.Code, res.Stdout, res.Stderr, tt.out)
			}
			dev.Set("reset", "1")
		})
	}
}

// TestClientShapes_ZeroWrite: a write of no bytes reaches no attribute and succeeds, even where any text is refused.
func TestClientShapes_ZeroWrite(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "1M"})
	for _, attr := range []string{"disksize", "reset", "comp_algorithm", "mem_limit", "idle", "compact"} {
		if n, err := harness.WriteFile(dev.Path(attr), "", 0); n != 0 || err != nil {
			t.Errorf("%s: %d, %v; want 0 and no error", attr, n, err)
		}
	}
	if got := dev.Get("disksize"); got != "1048576" {
		t.Errorf("disksize is %s afterwards", got)
	}
}

// TestClientShapes_KeptOpen: a descriptor that is kept open and read again from 0 gives the present, as zramctl and
// monitors rely on; a read that goes on where the last one ended gives the rest of the same text.
func TestClientShapes_KeptOpen(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	fd := open(t, dev.Path("disksize"), unix.O_RDONLY)
	read := func(n int, off int64) string {
		t.Helper()
		p := make([]byte, n)
		n, err := unix.Pread(fd, p, off)
		if err != nil {
			t.Fatal(err)
		}
		return string(p[:n])
	}
	if got := read(100, 0); got != "0\n" {
		t.Errorf("before: %q", got)
	}
	dev.Set("disksize", "1M")
	if got := read(100, 0); got != "1048576\n" {
		t.Errorf("after disksize: %q", got)
	}
	if got := read(3, 0) + read(3, 3) + read(100, 6) + read(100, 8); got != "1048576\n" {
		t.Errorf("in pieces: %q", got)
	}
	if got := read(100, 5000); got != "" {
		t.Errorf("past the end: %q", got)
	}
	dev.Set("reset", "1")
	if got := read(100, 0); got != "0\n" {
		t.Errorf("after reset: %q", got)
	}

	// Writes of one descriptor are separate commands, whatever the offset.
	w := open(t, dev.Path("mem_limit"), unix.O_WRONLY)
	for _, off := range []int64{0, 4, 5000} {
		text := fmt.Sprintf("%dM", off+1)
		if n, err := unix.Pwrite(w, []byte(text), off); n != len(text) || err != nil {
			t.Errorf("write at offset %d: %d, %v", off, n, err)
		}
		if got := dev.MM().Limit; got != (off+1)*mib {
			t.Errorf("write at offset %d: limit is %d, want %d", off, got, (off+1)*mib)
		}
	}
	if _, err := unix.Write(w, []byte("1")); err != nil {
		t.Error(err)
	}
	if _, err := unix.Write(w, []byte("M")); !errors.Is(err, unix.EINVAL) {
		t.Errorf("half a command: %v, want EINVAL", err)
	}
}

// TestClientShapes_Directory: the directory is the kernel's to shape, not the user's; and modes hold for root too.
func TestClientShapes_Directory(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "1M"})
	before := listing(t, dev)
	for _, tt := range []struct {
		name string
		do   func() error
	}{
		{"create", func() error { _, err := harness.WriteFile(dev.Path("new"), "x", unix.O_CREAT|unix.O_EXCL); return err }},
		{"create in debug", func() error {
			_, err := harness.WriteFile(dev.Path("debug/new"), "x", unix.O_CREAT|unix.O_EXCL)
			return err
		}},
		{"mkdir", func() error { return unix.Mkdir(dev.Path("new"), 0o755) }},
		{"symlink", func() error { return unix.Symlink("x", dev.Path("new")) }},
		{"link", func() error { return unix.Link(dev.Path("disksize"), dev.Path("new")) }},
		{"unlink an attribute", func() error { return unix.Unlink(dev.Path("disksize")) }},
		{"unlink the image", func() error { return unix.Unlink(dev.Image) }},
		{"rmdir", func() error { return unix.Rmdir(dev.Path("debug")) }},
		{"rename", func() error { return unix.Rename(dev.Path("disksize"), dev.Path("new")) }},
		{"write only, read", func() error { _, err := harness.ReadFile(dev.Path("reset")); return err }},
		{"read only, write", func() error { return dev.Write("mm_stat", "1") }},
		{"read only, read and write", func() error { _, err := harness.WriteFile(dev.Path("initstate"), "1", unix.O_RDWR); return err }},
	} {
		err := tt.do()
		if errno := harness.Errno(err); errno != unix.EACCES && errno != unix.EPERM && errno != unix.EROFS {
			t.Errorf("%s: %v, want EACCES or EPERM", tt.name, err)
		}
	}
	if after := listing(t, dev); after != before {
		t.Errorf("the directory was\n%sand is\n%s", before, after)
	}
}

func listing(t *testing.T, dev *harness.Dev) string {
	t.Helper()
	var all strings.Builder
	for _, dir := range []string{"", "debug"} {
		entries, err := os.ReadDir(dev.Path(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&all, info.Mode(), info.Size(), dir, info.Name())
		}
	}
	return all.String()
}
