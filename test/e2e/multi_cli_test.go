package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// mountMany mounts many devices for the length of the test.
func mountMany(t *testing.T, args ...string) (dir string) {
	t.Helper()
	dir = harness.Dir(t) + "/many"
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	harness.Undo(t, "mount", dir)
	t.Cleanup(func() {
		if t.Failed() { // else the test has done it
			harness.Uzram(t, "umount", dir)
		}
	})
	harness.Run(t, append(append([]string{harness.Bin(), "mount", "--detach", "--multi"}, args...), dir)...)
	return dir
}

// refused runs uzram, which must fail with that code and those words.
func refused(t *testing.T, code int, words string, args ...string) {
	t.Helper()
	if res := harness.Uzram(t, args...); res.Code != code || !strings.Contains(res.Stderr, words) {
		t.Errorf("uzram %q: status %d, %q; want %d, %q", args, res.Code, res.Stderr, code, words)
	}
}

// TestAddSetRemove: devices come and go by the verbs, and what is in use stays.
func TestAddSetRemove(t *testing.T) {
	dir := mountMany(t, "--loop")
	zram1, zram2 := filepath.Join(dir, "block/zram1"), filepath.Join(dir, "block/zram2")
	attr := func(path string) string {
		t.Helper()
		text, err := harness.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(text)
	}
	if got := harness.Run(t, harness.Bin(), "add", dir, "-s", "64M", "-a", "zstd"); got != "1\n" {
		t.Errorf("add prints %q, want 1", got)
	}
	if got := attr(zram1+"/disksize") + attr(zram1+"/comp_algorithm"); !strings.HasPrefix(got, "67108864") || !strings.Contains(got, "[zstd]") {
		t.Errorf("zram1 is %q", got)
	}
	refused(t, 2, `no algorithm "nosuch"`, "add", "--algorithm", "nosuch", dir)
	if _, err := os.Lstat(zram2); err == nil {
		t.Error("the device whose settings were refused is there")
	}
	if got := harness.Run(t, harness.Bin(), "add", dir); got != "2\n" {
		t.Errorf("add prints %q, want 2", got)
	}
	harness.Run(t, harness.Bin(), "set", zram2, "comp_algorithm=lzo", "mem_limit=5M", "disksize=8M")
	if got := attr(zram2+"/disksize") + attr(zram2+"/mm_stat"); !strings.HasPrefix(got, "8388608") || !strings.Contains(got, "5242880") {
		t.Errorf("zram2 is %q", got)
	}
	refused(t, 2, "already set up", "set", zram2, "disksize=16M")
	refused(t, 2, "name one of them", "set", dir, "mem_limit=1M")
	refused(t, 3, "no device has that number", "set", dir+"/block/zram7", "mem_limit=1M")
	refused(t, 2, "no device 7", "remove", dir, "7")

	list := harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "name,disksize,algorithm", dir)
	if want := dir + "/block/zram0 0B lz4\n" + zram1 + " 64M zstd\n" + zram2 + " 8M lzo\n"; list != want {
		t.Errorf("list:\n%s\nwant\n%s", list, want)
	}

	loop := strings.TrimSpace(harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "loop", zram1))
	fd := open(t, loop, unix.O_RDWR|unix.O_EXCL)
	refused(t, 4, "is in use", "remove", dir, "1")
	refused(t, 4, "is in use", "set", zram1, "reset=1")
	shut(t, fd)
	for _, name := range []string{zram1 + "/image", dir + "/dev/zram1"} {
		user := harness.Start(t, "sh", "-c", "exec 3<"+name+" && echo open && exec cat")
		user.Stdout.Line(t, time.Minute)
		who := fmt.Sprintf("process %d (", user.PID)
		refused(t, 4, who, "remove", dir, "1")
		refused(t, 4, who, "reset", zram1)
		user.CloseStdin()
		user.Wait(t, time.Minute)
	}
	harness.Run(t, harness.Bin(), "remove", dir, "1")
	if _, err := os.Lstat(zram1); err == nil {
		t.Error("zram1 is there after it was removed")
	}
	if got := harness.Run(t, harness.Bin(), "add", dir); got != "1\n" {
		t.Errorf("add prints %q, want 1 again", got)
	}
	harness.Run(t, harness.Bin(), "umount", dir)
}

// TestList_Many: the mount point is that of whatever loop device the disk is used through, under either of its names.
func TestList_Many(t *testing.T) {
	dir := mountMany(t, "--devices", "2")
	for i, image := range []string{"block/zram0/image", "dev/zram1"} {
		harness.Run(t, harness.Bin(), "set", fmt.Sprintf("%s/block/zram%d", dir, i), "disksize=16M")
		loop := strings.TrimSpace(harness.Run(t, "losetup", "--direct-io=on", "--sector-size", "4096", "-f", "--show", filepath.Join(dir, image)))
		harness.Undo(t, "loop", loop)
		harness.Run(t, "mkfs.ext4", "-q", loop)
		fs := harness.MountFS(t, loop)
		got := harness.Run(t, harness.Bin(), "list", "--raw", "-n", "-o", "loop,mountpoint", fmt.Sprintf("%s/block/zram%d", dir, i))
		if got != " "+fs+"\n" {
			t.Errorf("%s: %q, want the mount point %s", image, got, fs)
		}
		harness.Run(t, "umount", fs)
		harness.Run(t, "losetup", "-d", loop)
	}
	harness.Run(t, harness.Bin(), "umount", dir)
}
