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

// loopSetting reads an attribute of a loop device from sysfs.
func loopSetting(t *testing.T, loop, attr string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(loop), attr))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(text))
}

// detached says whether a loop device has let go of the device's image.
func detached(dev *harness.Dev) bool {
	text, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(dev.Loop), "loop/backing_file"))
	return err != nil || !strings.HasPrefix(string(text), dev.Dir)
}

// TestDaemon_Detach: when mount --detach returns all stands: mount, settings, loop device with direct I/O and sectors of
// 4096 bytes, and the daemon on its own.
func TestDaemon_Detach(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Loop: true, Algorithm: "zstd", MemLimit: "32M", Disksize: "64MiB",
		Args: []string{"--set", "algorithm_params=level=1", "--set", "mem_limit=16M"}})
	if dev.Loop == "" || strings.ContainsAny(dev.Loop, "\n ") || !strings.HasPrefix(dev.Loop, "/dev/loop") {
		t.Errorf("mount printed %q, want the path of a loop device", dev.Loop)
	}
	if got := dev.Get("comp_algorithm"); !strings.Contains(got, "[zstd]") {
		t.Errorf("comp_algorithm: %s", got)
	}
	if got := dev.MM().Limit; got != 32*mib {
		t.Errorf("mem_limit is %d: --mem-limit comes after --set", got)
	}
	for attr, want := range map[string]string{
		"size": "131072", "loop/dio": "1", "queue/logical_block_size": "4096", "queue/discard_granularity": "4096",
		"loop/backing_file": dev.Image, "ro": "0",
	} {
		if got := loopSetting(t, dev.Loop, attr); got != want {
			t.Errorf("%s of the loop device is %q, want %q", attr, got, want)
		}
	}

	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); f[4] == dev.Dir {
			found++
			if !strings.Contains(line, " - fuse.uzram uzram ") {
				t.Errorf("mountinfo: %s", line)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d mounts on %s", found, dev.Dir)
	}

	// A daemon that stays in the directory, session or process group of its starter is a bother.
	if to, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", dev.PID)); err != nil || to != "/" {
		t.Errorf("the daemon works in %q, %v; want /", to, err)
	}
	if sid, err := unix.Getsid(dev.PID); err != nil || sid != dev.PID {
		t.Errorf("the daemon (%d) is of session %d, %v", dev.PID, sid, err)
	}
}

// TestDaemon_LoopFollows: the loop device has the new size when the write to disksize or reset returns.
func TestDaemon_LoopFollows(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Loop: true})
	if n := deviceSize(t, dev.Loop); n != 0 {
		t.Errorf("without disksize the loop device has %d bytes", n)
	}
	for _, size := range []int64{mib, 1 << 40, 16*mib + page, page} {
		dev.Set("disksize", strconv.FormatInt(size, 10))
		if got := strings.TrimSpace(harness.Run(t, "blockdev", "--getsize64", dev.Loop)); got != strconv.FormatInt(size, 10) {
			t.Errorf("the loop device has %s bytes after disksize %d", got, size)
		}
		harness.Run(t, harness.Bin(), "reset", dev.Dir)
		if n := deviceSize(t, dev.Loop); n != 0 {
			t.Errorf("the loop device has %d bytes after reset", n)
		}
	}
	dev.Set("disksize", "1M")
	fd := open(t, dev.Loop, unix.O_RDWR|unix.O_DIRECT)
	data := aligned(t, int(mib))
	harness.FillMixed(data, newSeed(t))
	pwrite(t, fd, data, 0)
	shut(t, fd)
	image := open(t, dev.Image, unix.O_RDONLY)
	expectBytes(t, "image", pread(t, image, int(mib), 0), data)
}

// TestDaemon_Foreground: in the foreground the daemon prints the loop device's path, and SIGINT and SIGTERM unmount.
func TestDaemon_Foreground(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGINT, unix.SIGTERM} {
		for _, loop := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v, loop %v", sig, loop), func(t *testing.T) {
				dev := harness.Mount(t, harness.Options{Disksize: "16M", Loop: loop, Foreground: true})
				if dev.PID != dev.Proc.PID {
					t.Errorf("process %d serves the mount, %d was started", dev.PID, dev.Proc.PID)
				}
				if n := dev.Numbers("disksize")[0]; n != 16*mib && loop { // with --loop the line comes after the settings
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

// TestDaemon_TermDetached: the same for a detached daemon.
func TestDaemon_TermDetached(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "16M", Loop: true})
	if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !harness.WaitGone(dev.PID, patience) || dev.Mounted() || !detached(dev) {
		t.Errorf("after SIGTERM: mounted %v, loop device detached %v", dev.Mounted(), detached(dev))
	}
}

// TestDaemon_Busy: whatever uses the mount is named, by umount with exit code 4 and by the daemon that gets a signal, and
// all stays as it is.
func TestDaemon_Busy(t *testing.T) {
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

// TestDaemon_Killed: a daemon that was killed answers nothing more, no request waits for it, and umount cleans up.
func TestDaemon_Killed(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true, KernelErrors: true})
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
	for _, verb := range []string{"status", "compact", "reset"} {
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

// TestDaemon_ExternalUmount: umount(8) ends the daemon with status 0; with a loop device it is busy until that is detached.
func TestDaemon_ExternalUmount(t *testing.T) {
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

// TestDaemon_Warning: a disk of more than twice the RAM without a limit is worth a warning, on stderr and no failure.
func TestDaemon_Warning(t *testing.T) {
	for _, tt := range []struct {
		args []string
		warn bool
	}{
		{[]string{"--disksize", "16T"}, true},
		{[]string{"--disksize", "16T", "--mem-limit", "1G"}, false},
		{[]string{"--disksize", "16M"}, false},
	} {
		dir := harness.Dir(t)
		harness.Undo(t, "mount", dir)
		args := append([]string{"mount", "--detach", "--log", filepath.Join(harness.Dir(t), "log")}, tt.args...)
		res := harness.Uzram(t, append(args, dir)...)
		if res.Err != nil || res.Stdout != "" || strings.Contains(res.Stderr, "warning") != tt.warn {
			t.Errorf("%q: %v, %q %q; want a warning: %v", tt.args, res.Err, res.Stdout, res.Stderr, tt.warn)
		}
		harness.Run(t, harness.Bin(), "umount", dir)
	}
}

// TestDaemon_Verbs: reset and compact, with several directories.
func TestDaemon_Verbs(t *testing.T) {
	a, b := harness.Mount(t, harness.Options{Disksize: "16M", Algorithm: "zstd"}), harness.Mount(t, harness.Options{Disksize: "16M"})
	fd := open(t, a.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(4*mib, newSeed(t)), 0)
	for off := int64(0); off < 4*mib; off += 2 * page { // leaves every other page
		if err := unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, page); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, fd)
	before := a.MM()
	harness.Run(t, harness.Bin(), "compact", a.Dir, b.Dir)
	if after := a.MM(); after.Compacted == 0 || after.Used != before.Used-after.Compacted*page || after.Orig != before.Orig {
		t.Errorf("compact: before %+v, after %+v", before, after)
	}
	harness.Run(t, harness.Bin(), "reset", a.Dir, b.Dir)
	for _, dev := range []*harness.Dev{a, b} {
		if got := dev.Get("disksize") + dev.Get("comp_algorithm"); !strings.HasPrefix(got, "0") || !strings.Contains(got, "[lz4]") {
			t.Errorf("after reset: %s", got)
		}
		if mm := dev.MM(); mm != (harness.MM{}) {
			t.Errorf("mm_stat after reset: %+v", mm)
		}
	}
}
