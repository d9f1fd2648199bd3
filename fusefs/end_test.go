package fusefs

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/internal/fusermount"
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

// What lies on the directory in place of the mount is not the daemon's.
func TestMount_UnmountSparesOthers(t *testing.T) {
	for _, lazily := range []bool{false, true} {
		s := mounted(t, serverConfig{Dir: t.TempDir(), Loop: lazily})
		fd := s.open("initstate", unix.O_RDONLY)
		if lazily {
			if err := unix.Unmount(s.dir, unix.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
		}
		if err := unix.Mount("other", s.dir, "tmpfs", 0, ""); err != nil {
			t.Fatal(err)
		}
		if lazily {
			s.send("unmount")
			eventually(t, "the loop device is let go", func() bool {
				_, err := os.Stat("/sys/block/" + strings.TrimPrefix(s.loop, "/dev/") + "/loop/backing_file")
				return err != nil
			})
			s.gone = true
		} else if said := s.command("unmount"); !strings.Contains(said, "another file system") {
			t.Errorf("unmount of a covered mount said %q", said)
		}
		if got := pread(t, fd, 9, 0); got != "0\n" {
			t.Errorf("a mount in use says %q", got)
		}
		unix.Close(fd)
		if lazily {
			if said := s.line(); said != "ended <nil>" {
				t.Errorf("the server said %q", said)
			}
		}
		if err := unix.Unmount(s.dir, unix.UMOUNT_NOFOLLOW); err != nil {
			t.Errorf("the other file system is gone: %v", err)
		}
	}
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
	if err := fusermount.Run(-1, "-u", "--", s.dir); errnoOf(err) != unix.EBUSY {
		t.Errorf("unmount while the image is open: %v", err)
	}
	unix.Close(fd)
	eventually(t, "it can be unmounted", func() bool { return fusermount.Run(-1, "-u", "--", s.dir) == nil })
	if said := s.line(); said != "ended <nil>" {
		t.Errorf("the server said %q", said)
	}
	s.gone = true
}

func TestNew_Fails(t *testing.T) {
	for name, dir := range map[string]string{"missing": t.TempDir() + "/none", "a file": "/etc/passwd"} {
		config := serverConfig{Dir: dir, Workers: 2}
		if m, err := mountHere(config, &faultyConn{}, nil); err == nil {
			t.Errorf("%s: mounted", name)
			m.Unmount()
		} else if errno := errnoOf(err); errno != unix.ENOENT && errno != unix.ENOTDIR {
			t.Errorf("%s: %v", name, err)
		}
	}
}
