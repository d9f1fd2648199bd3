package fusefs

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/internal/mountinfo"
)

func TestMount_IsNamedInTheMountTable(t *testing.T) {
	s := mountedHere(t)
	m, err := mountinfo.Find(s.dir)
	if err != nil || m.Type != "fuse.uzram" || m.Source != "uzram" || !strings.Contains(m.Options, "nosuid,nodev") {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMount_UnmountNamesTheHolder(t *testing.T) {
	for _, loop := range []bool{false, true} {
		s := mounted(t, serverConfig{Dir: t.TempDir(), Loop: loop})
		s.set("disksize", "1M")
		fd := s.open("image", unix.O_RDWR)
		said := s.command("unmount")
		if me := strconv.Itoa(os.Getpid()); !strings.HasPrefix(said, "error true") || !strings.Contains(said, me) {
			t.Errorf("unmount said %q, want a BusyError naming process %s", said, me)
		}
		if _, err := unix.Pwrite(fd, make([]byte, 4096), 0); err != nil {
			t.Errorf("a mount that stays up answers %v", err)
		}
		if st := s.status(); (st.Loop != nil) != loop || loop && capacity(t, s.loop) != 1<<20 {
			t.Errorf("loop device after a refused unmount: %v", st.Loop)
		}
		unix.Close(fd)
		s.end()
		if _, err := mountinfo.Find(s.dir); err == nil {
			t.Errorf("%s is still mounted", s.dir)
		}
	}
}

func TestMount_UnmountOfAHeldLoopIsRefused(t *testing.T) {
	s := mounted(t, serverConfig{Dir: t.TempDir(), Loop: true})
	s.set("disksize", "1M")
	fd := loopOpen(t, s.loop, unix.O_RDWR|unix.O_EXCL)
	if said := s.command("unmount"); !strings.HasPrefix(said, "error true") {
		t.Errorf("unmount said %q", said)
	}
	unix.Close(fd)
}

func TestMount_UnmountedFromOutside(t *testing.T) {
	s := mountedHere(t)
	if err := unix.Unmount(s.dir, 0); err != nil {
		t.Fatal(err)
	}
	if said := s.line(); said != "ended <nil>" {
		t.Errorf("the server said %q", said)
	}
	s.gone = true
}

func TestMount_AbortedConnectionIsAnError(t *testing.T) {
	s := mountedHere(t)
	var st unix.Stat_t
	if err := unix.Stat(s.dir, &st); err != nil {
		t.Fatal(err)
	}
	control := t.TempDir()
	if err := unix.Mount("none", control, "fusectl", 0, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(control, 0); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(fmt.Sprintf("%s/%d/abort", control, unix.Minor(st.Dev)), []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	if said := s.line(); !strings.HasPrefix(said, "ended ") || said == "ended <nil>" {
		t.Errorf("the server said %q", said)
	}
	if err := unix.Unmount(s.dir, 0); err != nil {
		t.Error(err)
	}
	s.gone = true
}

// The way of ordinary users, who need a helper to mount and to unmount.
func TestMount_ByTheHelper(t *testing.T) {
	s := mounted(t, serverConfig{Dir: t.TempDir(), Helped: true})
	if m, err := mountinfo.Find(s.dir); err != nil || m.Type != mountinfo.Type || m.Source != mountinfo.Source {
		t.Errorf("%+v, %v", m, err)
	}
	s.set("disksize", "1M")
	fd := s.open("image", unix.O_RDWR)
	if n, err := unix.Pwrite(fd, make([]byte, 1<<20), 0); n != 1<<20 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if err := runHelper(-1, "-u", "--", s.dir); errnoOf(err) != unix.EBUSY {
		t.Errorf("unmount while the image is open: %v", err)
	}
	unix.Close(fd)
	eventually(t, "it can be unmounted", func() bool { return runHelper(-1, "-u", "--", s.dir) == nil })
	if said := s.line(); said != "ended <nil>" {
		t.Errorf("the server said %q", said)
	}
	s.gone = true
}

func TestRunHelper_Fails(t *testing.T) {
	if err := runHelper(-1, "-u", "--", t.TempDir()); errnoOf(err) != unix.EPERM || !strings.Contains(err.Error(), "not ") {
		t.Errorf("unmount of nothing: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := runHelper(-1, "-u"); errnoOf(err) != unix.ENOENT || !strings.Contains(err.Error(), helper) {
		t.Errorf("no helper: %v", err)
	}
}

func TestNew_Fails(t *testing.T) {
	for name, dir := range map[string]string{"missing": t.TempDir() + "/none", "a file": "/etc/passwd"} {
		config := serverConfig{Dir: dir, Workers: 2}
		if m, err := mountHere(config, nil); err == nil {
			t.Errorf("%s: mounted", name)
			m.Unmount()
		} else if errno := errnoOf(err); errno != unix.ENOENT && errno != unix.ENOTDIR {
			t.Errorf("%s: %v", name, err)
		}
	}
}
