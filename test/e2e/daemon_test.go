package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// TestDaemon_Warning: a disk of more than twice the RAM without a limit is worth a warning, on stderr and no failure. The
// daemons here log to syslog, whether somebody listens there or not.
func TestDaemon_Warning(t *testing.T) {
	for _, tt := range []struct {
		args []string
		warn bool
	}{
		{[]string{"--disksize", "1T"}, true},
		{[]string{"--disksize", "1T", "--mem-limit", "1G"}, false},
		{[]string{"--disksize", "16M"}, false},
	} {
		dir := harness.Dir(t)
		harness.Undo(t, "mount", dir)
		res := harness.Uzram(t, append(append([]string{"mount", "--detach"}, tt.args...), dir)...)
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
