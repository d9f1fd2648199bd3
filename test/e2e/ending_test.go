package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// detached says whether a loop device has let go of the device's image.
func detached(dev *harness.Dev) bool {
	text, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(dev.Loop), "loop/backing_file"))
	return err != nil || !strings.HasPrefix(string(text), dev.Dir)
}

// TestEnding_Foreground: in the foreground the daemon prints the loop device's path, and SIGINT and SIGTERM unmount.
func TestEnding_Foreground(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGTERM} {
		for _, loop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, loop %v", sig, loop), func(t *testing.T) {
				dev := harness.Mount(t, harness.Options{Disksize: "16M", Loop: loop, Foreground: true})
				if k := dev.Status().KeeperPID; k == nil || *k != dev.Proc.PID {
					t.Errorf("process %v keeps the mount, %d was started", k, dev.Proc.PID)
				}
				if n := dev.Numbers("disksize")[0]; n != 16*mib {
					t.Errorf("disksize is %d", n)
				}
				dev.Proc.Signal(t, sig)
				if code, stderr := dev.Proc.Wait(t, patience); code != 0 {
					t.Errorf("status %d, %q", code, stderr)
				}
				if dev.Mounted() {
					t.Error("still mounted")
				}
				if loop && !detached(dev) {
					t.Errorf("%s is still attached", dev.Loop)
				}
			})
		}
	}
}

// TestEnding_TermDetached: the same for a detached daemon.
func TestEnding_TermDetached(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "16M", Loop: true})
	if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !harness.WaitGone(dev.PID, patience) || dev.Mounted() || !detached(dev) {
		t.Errorf("after SIGTERM: mounted %v, loop device detached %v", dev.Mounted(), detached(dev))
	}
}

// TestEnding_Busy: whatever uses the mount is named, by umount with exit code 4 and by the daemon that gets a signal, and
// all stays as it is.
func TestEnding_Busy(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true})
	harness.Run(t, "mkfs.ext4", "-q", dev.Loop)
	data := mixed(64*kib, newSeed(t))

	holders := []struct {
		name string
		hold func(t *testing.T) (says string, release func())
	}{
		{"file system", func(t *testing.T) (string, func()) {
			dir := harness.MountFS(t, dev.Loop)
			if err := os.WriteFile(filepath.Join(dir, "data"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			return dir, func() {
				got, err := os.ReadFile(filepath.Join(dir, "data"))
				if err != nil {
					t.Error(err)
				}
				expectBytes(t, "file", got, data)
				harness.Run(t, "umount", dir)
			}
		}},
		{"open file", func(t *testing.T) (string, func()) {
			p := harness.Start(t, "sh", "-c", `exec 3< "$1"; echo; read -r line`, "sh", dev.Image)
			p.Stdout.Line(t, patience)
			return strconv.Itoa(p.PID), func() { p.CloseStdin(); p.Wait(t, patience) }
		}},
		{"working directory", func(t *testing.T) (string, func()) {
			p := harness.Start(t, "sh", "-c", `cd "$1"; echo; read -r line`, "sh", dev.Path("debug"))
			p.Stdout.Line(t, patience)
			return strconv.Itoa(p.PID), func() { p.CloseStdin(); p.Wait(t, patience) }
		}},
		{"swap", func(t *testing.T) (string, func()) {
			harness.Run(t, "mkswap", dev.Loop)
			harness.Undo(t, "swap", dev.Loop)
			harness.Run(t, "swapon", "--discard", dev.Loop)
			return dev.Loop, func() { harness.Run(t, "swapoff", dev.Loop) }
		}},
	}
	for _, h := range holders {
		t.Run(h.name, func(t *testing.T) {
			says, release := h.hold(t)
			res := harness.Uzram(t, "umount", dev.Dir)
			if res.Code != 4 || !strings.Contains(res.Stderr, says) || strings.Count(res.Stderr, "\n") != 1 {
				t.Errorf("umount: status %d, %q; want 4 and one line with %q", res.Code, res.Stderr, says)
			}
			log := len(readLog(t, dev))
			if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil {
				t.Fatal(err)
			}
			waitLog(t, dev, log, says)
			if !dev.Mounted() || dev.Get("initstate") != "1" || detached(dev) {
				t.Fatalf("mounted %v, loop device detached %v", dev.Mounted(), detached(dev))
			}
			release()
		})
	}
	dev.Umount()
}

func readLog(t *testing.T, dev *harness.Dev) string {
	t.Helper()
	text, err := os.ReadFile(dev.Log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// waitLog waits until the daemon has logged, after the first bytes, a line that names the holder.
func waitLog(t *testing.T, dev *harness.Dev, after int, says string) {
	t.Helper()
	if !harness.WaitChange(dev.Log, patience, func() bool { return strings.Contains(readLog(t, dev)[after:], says) }) {
		t.Errorf("on SIGTERM the daemon logs %q, want %q named", readLog(t, dev)[after:], says)
	}
}

// TestEnding_Killed: a daemon without a keeper that was killed answers nothing more, no request waits for it, and umount cleans up.
func TestEnding_Killed(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true, KernelErrors: true, Args: []string{"--keeper=false"}})
	image, loop := open(t, dev.Image, unix.O_RDWR), open(t, dev.Loop, unix.O_RDWR|unix.O_DIRECT)
	attr := open(t, dev.Path("disksize"), unix.O_RDONLY)
	p := aligned(t, page)
	pwrite(t, image, p, 0)
	if err := unix.Kill(dev.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !harness.WaitGone(dev.PID, patience) {
		t.Fatal("the daemon does not die")
	}
	dead := func(what string, err error) {
		t.Helper()
		if e := harness.Errno(err); e != unix.EIO && e != unix.ENOTCONN && e != unix.ECONNABORTED {
			t.Errorf("%s: %v, want EIO or ENOTCONN", what, err)
		}
	}
	_, err := unix.Pread(image, p, 0)
	dead("read of the image", err)
	_, err = unix.Pwrite(image, p, 0)
	dead("write of the image", err)
	_, err = unix.Pread(attr, p, 0)
	dead("read of an attribute", err)
	dead("write of an attribute", dev.Write("reset", "1"))
	_, err = unix.Pread(loop, p, 0)
	dead("read of the loop device", err)
	_, err = unix.Pwrite(loop, p, 0)
	dead("write of the loop device", err)
	for _, verb := range []string{"status", "compact", "check", "reset"} {
		res := harness.Uzram(t, verb, dev.Dir)
		if res.Code != 1 || !strings.Contains(res.Stderr, "dead") || strings.Count(res.Stderr, "\n") != 1 {
			t.Errorf("%s: status %d, %q; want 1 and one line that says that the daemon is dead", verb, res.Code, res.Stderr)
		}
	}
	shut(t, image)
	shut(t, loop)
	shut(t, attr)
	harness.Run(t, harness.Bin(), "umount", dev.Dir)
	if dev.Mounted() || !detached(dev) {
		t.Errorf("after umount: mounted %v, loop device detached %v", dev.Mounted(), detached(dev))
	}
	// The directory can be used again.
	again := harness.Uzram(t, "mount", "--detach", "--log", dev.Log, dev.Dir)
	if again.Err != nil {
		t.Fatalf("mount again: %s", again.Stderr)
	}
	harness.Run(t, harness.Bin(), "umount", dev.Dir)
}

// TestEnding_ExternalUmount: umount(8) ends the daemon with status 0; with a loop device it is busy until that is detached.
func TestEnding_ExternalUmount(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "16M", Foreground: true})
	harness.Run(t, "umount", dev.Dir)
	if code, stderr := dev.Proc.Wait(t, patience); code != 0 {
		t.Errorf("status %d, %q", code, stderr)
	}

	dev = harness.Mount(t, harness.Options{Disksize: "16M", Loop: true, Foreground: true})
	if res := harness.Try(t, "umount", dev.Dir); res.Code == 0 {
		t.Error("umount(8) works while the loop device is attached")
	}
	harness.Run(t, "losetup", "-d", dev.Loop)
	harness.Run(t, "umount", dev.Dir)
	if code, stderr := dev.Proc.Wait(t, patience); code != 0 {
		t.Errorf("status %d, %q", code, stderr)
	}
}
