package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestLog_File: --log appends to the file, and --log-level and debug/control choose what.
func TestLog_File(t *testing.T) {
	log := filepath.Join(harness.Dir(t), "log")
	if err := os.WriteFile(log, []byte("before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := func() string {
		t.Helper()
		b, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	quiet := harness.Mount(t, harness.Options{Args: []string{"--log", log, "--log-level", "error"}})
	quiet.Umount()
	if got := text(); got != "before\n" {
		t.Errorf("at level error the log has %q", got)
	}
	dev := harness.Mount(t, harness.Options{Args: []string{"--log", log}})
	if got := text(); !strings.HasPrefix(got, "before\n") || !strings.Contains(got, dev.Dir) {
		t.Errorf("at level info the log has %q, want the old line and the mount's directory", got)
	}
	dev.Set("debug/control", "log-level error")
	before := text()
	dev.Umount()
	if got := text(); got != before {
		t.Errorf("after log-level error the log has grown by %q", got[len(before):])
	}
}

// TestLog_Stuck: a log that nobody reads, here a full pipe as stderr, stops neither I/O nor the daemon's end.
func TestLog_Stuck(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pipe[0]) })
	for n := 1; n > 0; {
		n, _ = unix.Write(pipe[1], make([]byte, page))
	}
	if err := unix.SetNonblock(pipe[1], false); err != nil {
		t.Fatal(err)
	}
	stderr := os.NewFile(uintptr(pipe[1]), "full pipe")
	t.Cleanup(func() { stderr.Close() })

	dev := harness.Mount(t, harness.Options{Disksize: "16M", Foreground: true, Stderr: stderr, Args: []string{"--log-level", "debug"}})
	fd := open(t, dev.Image, unix.O_RDWR)
	data := mixed(4*mib, newSeed(t))
	for range 20 {
		if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil { // each is worth a line: the image is open
			t.Fatal(err)
		}
		pwrite(t, fd, data, 0)
		expectBytes(t, "image", pread(t, fd, len(data), 0), data)
	}
	shut(t, fd)
	if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil && err != unix.ESRCH { // one of those before may have been enough
		t.Fatal(err)
	}
	if code, _ := dev.Proc.Wait(t, patience); code != 0 {
		t.Errorf("status %d", code)
	}
}
