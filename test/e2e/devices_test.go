package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// hotAdd adds a device to a mount with many and returns its directory.
func hotAdd(t *testing.T, dev *harness.Dev) (dir string) {
	t.Helper()
	number := dev.Get("class/zram-control/hot_add")
	if _, err := strconv.ParseUint(number, 10, 16); err != nil {
		t.Fatalf("hot_add shows %q", number)
	}
	return dev.Path("block/zram" + number)
}

func hotRemove(dev *harness.Dev, dir string) error {
	number := strings.TrimPrefix(filepath.Base(dir), "zram")
	_, err := harness.WriteFile(dev.Path("class/zram-control/hot_remove"), number, 0)
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}

// mustHotRemove waits for device managers that look at what comes and goes.
func mustHotRemove(t *testing.T, dev *harness.Dev, dir string) {
	t.Helper()
	soon(t, dir+" is removed", func() bool {
		err := hotRemove(dev, dir)
		if err != nil && err != unix.EBUSY {
			t.Fatalf("hot_remove %s: %v", dir, err)
		}
		return err == nil
	})
}

// TestDevices_Hundreds: some hundreds of devices at a time, each with data of its own, while workers die and the program is
// upgraded. All is there afterwards, and nothing stays of those that go.
func TestDevices_Hundreds(t *testing.T) {
	const devices = 300
	dev := harness.Mount(t, harness.Options{Patient: true, Args: []string{"--multi", "--devices", strconv.Itoa(devices), "--standby"}})
	st := dev.Status()
	base := descriptorsOf(t, *st.KeeperPID)
	content := func(n int) []byte { return []byte(strings.Repeat(fmt.Sprintf("this is device %d. ", n), page)[:page]) }
	for n := range devices {
		dir := dev.Path(fmt.Sprintf("block/zram%d", n))
		if _, err := harness.WriteFile(dir+"/disksize", "1M", 0); err != nil {
			t.Fatalf("disksize of zram%d: %v", n, err)
		}
		fd := open(t, dir+"/image", unix.O_RDWR)
		pwrite(t, fd, content(n), 3*page)
		shut(t, fd)
	}
	check := func(when string) {
		t.Helper()
		for n := range devices {
			fd := open(t, dev.Path(fmt.Sprintf("dev/zram%d", n)), unix.O_RDONLY)
			expectBytes(t, fmt.Sprintf("zram%d %s", n, when), pread(t, fd, page, 3*page), content(n))
			shut(t, fd)
		}
	}
	for range 2 {
		soon(t, "a standby stands", func() bool { return dev.Status().Standby })
		if err := unix.Kill(dev.Status().WorkerPID, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		check("after a death")
	}
	harness.Run(t, harness.Bin(), "upgrade", dev.Dir)
	check("after an upgrade")
	for n := range devices {
		mustHotRemove(t, dev, dev.Path(fmt.Sprintf("block/zram%d", n)))
	}
	soon(t, "the keeper holds nothing of the devices", func() bool { return descriptorsOf(t, *st.KeeperPID) <= base-devices })
	if entries, err := os.ReadDir(dev.Path("block")); err != nil || len(entries) != 0 {
		t.Errorf("left are %v, %v", entries, err)
	}
	dev.PID = dev.Status().WorkerPID
	dev.Umount()
}

func descriptorsOf(t *testing.T, pid int) int {
	t.Helper()
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestDevices_Cycles: devices that come, are set up and go leave nothing behind: no descriptor, thread, goroutine, memory.
func TestDevices_Cycles(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Args: []string{"--multi", "--devices", "0"}})
	look := func() (files, threads int, goroutines uint64) {
		st := dev.Status()
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", st.WorkerPID))
		if err != nil {
			t.Fatal(err)
		}
		return descriptorsOf(t, st.WorkerPID) + descriptorsOf(t, *st.KeeperPID), len(tasks), st.Runtime.Goroutines
	}
	cycles := func(n int) {
		for range n {
			dir := hotAdd(t, dev)
			if filepath.Base(dir) != "zram0" {
				t.Fatalf("%s is not the lowest that is free", dir)
			}
			if _, err := harness.WriteFile(dir+"/disksize", "16M", 0); err != nil {
				t.Fatal(err)
			}
			if err := hotRemove(dev, dir); err != nil {
				t.Fatalf("hot_remove: %v", err)
			}
		}
	}
	cycles(50)
	files, _, goroutines := look()
	cycles(500)
	nowFiles, threads, nowGoroutines := look()
	if nowFiles > files || nowGoroutines > goroutines+5 || threads > 64 {
		t.Errorf("%d descriptors, %d goroutines, %d threads; before %d, %d", nowFiles, nowGoroutines, threads, files, goroutines)
	}
}

// hookText notes what it is told, with what it can see by then, and may be told to fail or to take long.
const hookText = `#!/bin/sh
dir=$(dirname "$0")
echo "$@ $(cat /sys/dev/block/$3:$4/loop/backing_file)" >>"$dir/told"
mknod "$dir/node" b "$3" "$4" && rm "$dir/node" || exit 1
test ! -e "$dir/fail" || { echo "told to fail" >&2; exit 3; }
`

// TestDevices_Hook: the program is run with the rights of whoever mounted, before hot_add and hot_remove return; when it
// fails, nothing has happened.
func TestDevices_Hook(t *testing.T) {
	home := harness.Dir(t)
	hook := filepath.Join(home, "hook")
	if err := os.WriteFile(hook, []byte(hookText), 0o755); err != nil {
		t.Fatal(err)
	}
	told := func() (lines []string) {
		text, err := os.ReadFile(filepath.Join(home, "told"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(filepath.Join(home, "told"), 0); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line) // action, name, major, minor, file
			lines = append(lines, strings.Join(append(f[:3:3], f[4:]...), " "))
		}
		return lines
	}
	dev := harness.Mount(t, harness.Options{Loop: true, Args: []string{"--multi", "--hook", hook}})
	expectLines(t, told(), "add zram0 7 "+dev.Path("block/zram0/image"))
	dir := hotAdd(t, dev)
	expectLines(t, told(), "add zram1 7 "+dir+"/image")
	if err := os.WriteFile(filepath.Join(home, "fail"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := harness.ReadFile(dev.Path("class/zram-control/hot_add")); !errors.Is(err, unix.EIO) {
		t.Errorf("hot_add with a failing hook: %v", err)
	}
	if err := hotRemove(dev, dir); err != unix.EIO {
		t.Errorf("hot_remove with a failing hook: %v", err)
	}
	expectLines(t, told(), "add zram2 7 "+dev.Path("block/zram2/image"), "remove zram2 7 "+dev.Path("block/zram2/image"), "remove zram1 7 "+dir+"/image")
	if log, err := os.ReadFile(dev.Log); err != nil || !strings.Contains(string(log), "told to fail") {
		t.Errorf("the log does not say why: %s, %v", log, err)
	}
	if err := os.Remove(filepath.Join(home, "fail")); err != nil {
		t.Fatal(err)
	}
	mustHotRemove(t, dev, dir)
	if lines := told(); lines[len(lines)-1] != "remove zram1 7 "+dir+"/image" {
		t.Errorf("told %q", lines)
	}
	dev.Umount()
	if lines := told(); len(lines) != 1 || !strings.HasPrefix(lines[0], "remove zram0 7") {
		t.Errorf("told at the end: %q", lines)
	}
	soon(t, "the hook's helper is gone", func() bool { return len(servants(hook)) == 0 })
}

func expectLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("told %q, want %q", got, want)
	}
}

// TestDevices_Umount: a mount whose devices are in use says by whom and stays as it is, loop devices and all.
func TestDevices_Umount(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Loop: true, Args: []string{"--multi", "--disksize", "16M"}})
	dir := hotAdd(t, dev)
	if _, err := harness.WriteFile(dir+"/disksize", "16M", 0); err != nil {
		t.Fatal(err)
	}
	loops, err := loopdev.FindInside(dev.Dir)
	if err != nil || len(loops) != 2 {
		t.Fatalf("loop devices %v, %v", loops, err)
	}
	second := loops[slices.IndexFunc(loops, func(l loopdev.Backed) bool { return l.File == dir+"/image" })].Loop
	harness.Run(t, "mkfs.ext4", "-q", second)
	fs := harness.MountFS(t, second)
	res := harness.Uzram(t, "umount", dev.Dir)
	if res.Code != 4 && !strings.Contains(res.Stderr, fs) {
		t.Errorf("umount: status %d, %q", res.Code, res.Stderr)
	}
	if err := hotRemove(dev, dir); err != unix.EBUSY {
		t.Errorf("hot_remove of a device with a file system on it: %v", err)
	}
	if now, err := loopdev.FindInside(dev.Dir); err != nil || len(now) != 2 {
		t.Errorf("loop devices after a refused umount: %v, %v", now, err)
	}
	harness.Run(t, "umount", fs)
	for _, args := range [][]string{{"umount", dir}, {"umount", dev.Path("block")}} {
		if res := harness.Uzram(t, args...); res.Code == 0 {
			t.Errorf("%q succeeds", args)
		}
	}
	for _, verb := range []string{"compact", "check", "reset", "status"} {
		harness.Run(t, harness.Bin(), verb, dir)
	}
	dev.Umount()
	if now, err := loopdev.FindInside(dev.Dir); err != nil || len(now) != 0 {
		t.Errorf("loop devices after the umount: %v, %v", now, err)
	}
}

// TestDevices_Dead: what a mount leaves whose processes were all killed is cleaned up.
func TestDevices_Dead(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Loop: true, KernelErrors: true, Args: []string{"--multi", "--devices", "3", "--keeper=false", "--standby=false"}})
	dev.Loop = "" // there are three
	if err := unix.Kill(dev.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if !harness.WaitGone(dev.PID, patience) {
		t.Fatal("the daemon stays")
	}
	harness.Run(t, harness.Bin(), "umount", dev.Dir)
	if now, err := loopdev.FindInside(dev.Dir); err != nil || len(now) != 0 {
		t.Errorf("loop devices after the umount: %v, %v", now, err)
	}
}

// TestDevices_Swap: two devices as swap space, which goes with the mount.
func TestDevices_Swap(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Args: []string{"--multi", "--devices", "2", "--swap-besteffort", "--disksize", "32M"}})
	loops, err := loopdev.FindInside(dev.Dir)
	if err != nil || len(loops) != 2 {
		t.Fatalf("loop devices %v, %v", loops, err)
	}
	for _, l := range loops {
		if len(mountinfo.SwapsOn(l.Loop)) != 1 {
			t.Errorf("%s is no swap space", l.Loop)
		}
		if err := hotRemove(dev, filepath.Dir(l.File)); err != unix.EBUSY {
			t.Errorf("hot_remove of swap space: %v", err)
		}
	}
	dev.Loop = "" // there are two
	start := time.Now()
	dev.Umount()
	t.Logf("swapped off and unmounted within %v", time.Since(start))
}

// TestDevices_Flags: what makes no sense is refused before anything is mounted.
func TestDevices_Flags(t *testing.T) {
	dir := harness.Dir(t)
	for _, args := range [][]string{
		{"--devices", "2"}, {"--hook", "/bin/true"}, {"--multi", "--devices", "-1"}, {"--multi", "--devices", "99999"},
		{"--multi", "--hook", dir}, {"--multi", "--hook", dir + "/none"}, {"--multi", "--backing-dev", dir + "/b:1M"},
		{"--multi", "--restore", dir + "/none"},
	} {
		if res := harness.Uzram(t, append(append([]string{"mount"}, args...), dir)...); res.Code != 2 || !strings.Contains(res.Stderr, "--") {
			t.Errorf("%q: status %d, %q; want 2", args, res.Code, res.Stderr)
		}
	}
}
