package sysview

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// insideEnv is set in the process that has a mount namespace of its own.
const insideEnv = "UZRAM_TEST_INSIDE"

// inside runs the test again in a mount namespace of its own, and says whether this is that one. It needs root.
func inside(t *testing.T) bool {
	t.Helper()
	if os.Getenv(insideEnv) != "" {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			t.Fatal(err)
		}
		if err := ForgetOthers(""); err != nil { // those of tests beside this one
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v=true")
	cmd.Env = append(os.Environ(), insideEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("in a mount namespace of its own: %v\n%s", err, out)
	}
	return false
}

// standIn is a directory with the shape of a multi mount, and real loop devices.
type standIn struct {
	t   *testing.T
	dir string
}

func newStandIn(t *testing.T) standIn {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := standIn{t, dir}
	s.write("class/zram-control/hot_add", "")
	s.write("class/zram-control/hot_remove", "")
	if err := os.Mkdir(filepath.Join(dir, "block"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(RunDir(dir)) })
	return s
}

func (s standIn) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// add makes a device on a loop device.
func (s standIn) add(name string) (d Device, loop string) {
	s.t.Helper()
	s.write("block/"+name+"/image", strings.Repeat("\x00", 1<<20))
	image := filepath.Join(s.dir, "block", name, "image")
	l, err := loopdev.Attach(image, 4096)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := l.Detach(); err != nil {
			s.t.Error(err)
		}
	})
	loop = filepath.Base(l.Path())
	text, err := os.ReadFile(filepath.Join("/sys/block", loop, "dev"))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("block/"+name+"/dev", string(text))
	s.write("block/"+name+"/initstate", "0\n")
	d.Name = name
	if d.Major, d.Minor, err = parseNumber(strings.TrimSpace(string(text))); err != nil {
		s.t.Fatal(err)
	}
	return d, loop
}

// build makes a view that the end of the test takes down.
func (s standIn) build(o Options) *View {
	s.t.Helper()
	o.Dir = s.dir
	v, err := Build(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := v.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return v
}

// state is what a view may have changed: what directories hold, and what is mounted.
func state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, dir := range []string{"/sys/block", "/sys/class", "/sys/class/block", "/sys/dev/block", "/sys/devices/virtual/block", "/dev", "/dev/pts",
		"/run/udev", "/run/modprobe.d", "/sys/class/zram-control"} {
		fmt.Fprintf(&b, "%s: %q\n", dir, list(t, dir))
	}
	all, err := mountinfo.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		fmt.Fprintf(&b, "%s on %s\n", m.Source, m.Point)
	}
	return b.String()
}

// list returns the names in a directory, without those that other tests make and remove.
func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "loop") && !strings.HasPrefix(e.Name(), "zram") && dir != "/dev/pts" && dir != "/sys/dev/block" {
			names = append(names, e.Name())
		}
	}
	return names
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func link(t *testing.T, path string) string {
	t.Helper()
	text, err := os.Readlink(path)
	if err != nil {
		t.Error(err)
	}
	return text
}

func realpath(t *testing.T, path string) string {
	t.Helper()
	text, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Error(err)
	}
	return text
}

// abandon leaves a socket that nobody listens at.
func abandon(t *testing.T, path string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
}
