package e2e

import (
	"fmt"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestZramctl: the kernel's own tool sets a uzram up, shows it and resets it. It takes a block device's directory in sysfs
// for granted, so in a namespace of its own it finds the mount there, beside a device node that it only looks at.
func TestZramctl(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	ns := harness.NewNamespace(t, `mount -t tmpfs none /dev
		mknod /dev/null c 1 3
		mknod /dev/zram7 b 252 7
		mount -t tmpfs none /sys/dev/block
		mkdir /sys/dev/block/252:7
		mount --bind "$2" /sys/dev/block/252:7`, dev.Dir)
	zramctl := func(args ...string) string {
		t.Helper()
		res := ns.Try(append([]string{"zramctl"}, args...)...)
		if res.Err != nil {
			t.Fatalf("zramctl %q: %v: %s", args, res.Err, res.Stderr)
		}
		return strings.TrimSpace(res.Stdout)
	}
	zramctl("--algorithm", "zstd", "--size", "64M", "/dev/zram7")
	if got := dev.Get("disksize") + " " + dev.Status().Algorithm; got != "67108864 zstd" {
		t.Errorf("set up as %s, want 67108864 zstd", got)
	}
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(2*mib, newSeed(t)), 0)
	shut(t, fd)
	mm := dev.MM()
	want := fmt.Sprint("/dev/zram7 67108864 zstd ", mm.Orig, " ", mm.Compr, " ", mm.Used, " ", mm.Same)
	if got := zramctl("--bytes", "--raw", "--noheadings", "--output", "NAME,DISKSIZE,ALGORITHM,DATA,COMPR,TOTAL,ZERO-PAGES"); got != want {
		t.Errorf("zramctl shows %q, want %q", got, want)
	}
	zramctl("--reset", "/dev/zram7")
	if got := dev.Get("initstate"); got != "0" {
		t.Errorf("initstate is %s after a reset", got)
	}
}
