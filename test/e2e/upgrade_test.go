package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

var upgrades = flag.Int("e2e.upgrades", 50, "how often to upgrade under load, in each manner")

// nextBin is a program that reads one format more than ours, which is what it makes.
func nextBin(t *testing.T) string {
	t.Helper()
	path := harness.Bin() + "-next"
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: make builds it", err)
	}
	return path
}

// TestUpgrade_Formats: back and forth between a program and one that is a format ahead, while fio verifies what it writes
// through a loop device. No request fails, whether or not the kernel can send requests again, and each finds what the other
// has set up.
func TestUpgrade_Formats(t *testing.T) {
	next := nextBin(t)
	for _, resend := range []bool{true, false} {
		t.Run(fmt.Sprintf("resend %v", resend), func(t *testing.T) {
			if !resend {
				t.Setenv("UZRAM_NO_RESEND", "1")
			}
			dev := harness.Mount(t, harness.Options{Disksize: "64M", Loop: true})
			size := dev.Numbers("disksize")[0]
			load := verify(t, dev.Loop, size)
			soon(t, "fio writes", func() bool { return dev.MM().Orig > 0 })
			start := time.Now()
			for i := range *upgrades {
				upgradeTo(t, dev, []string{next, harness.Bin()}[i%2])
			}
			took := time.Since(start)
			load.Signal(t, unix.SIGINT)
			text := load.Stdout.Rest(t, patience)
			if code, stderr := load.Wait(t, patience); code != 0 && code != fioInterrupted || strings.Contains(stderr, "verify") {
				t.Errorf("fio: status %d: %s\n%s", code, stderr, text)
			}
			if io := dev.Numbers("io_stat"); io[0] != 0 || io[1] != 0 {
				t.Errorf("%d failed reads, %d failed writes", io[0], io[1])
			}
			t.Logf("%d upgrades in %v", *upgrades, took)

			// What one sets up the other takes over, either way.
			for i := range 4 {
				dev.Set("reset", "1")
				upgradeTo(t, dev, []string{next, harness.Bin()}[i%2])
				dev.Set("disksize", "32M")
				image := open(t, dev.Image, unix.O_RDWR)
				data := mixed(mib, newSeed(t))
				pwrite(t, image, data, 4*mib)
				upgradeTo(t, dev, []string{harness.Bin(), next}[i%2])
				expectBytes(t, "image", pread(t, image, len(data), 4*mib), data)
				shut(t, image)
			}
			harness.Run(t, harness.Bin(), "check", dev.Dir)
			dev.PID = dev.Status().WorkerPID
			dev.Umount()
			log, err := os.ReadFile(dev.Log)
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(log)) {
				if strings.Contains(line, "level=ERROR") || strings.Contains(line, "requests in flight failed") || strings.Contains(line, "worker died") {
					t.Errorf("log: %s", line)
				}
			}
		})
	}
}

// fioInterrupted is fio's status when it was told to end.
const fioInterrupted = 128

// verify writes at random and verifies, until it is told to end.
func verify(t *testing.T, target string, size int64) *harness.Proc {
	return harness.Start(t, "fio", "--name=upgrade", "--filename="+target, fmt.Sprintf("--size=%d", size),
		"--rw=randrw", "--bsrange=4k-128k", "--blockalign=4k", "--direct=1", "--ioengine=libaio", "--iodepth=8",
		"--verify=crc32c", "--verify_backlog=64", "--verify_fatal=1", "--buffer_compress_percentage=50", "--refill_buffers",
		"--time_based", "--runtime=600", "--thread", "--allow_file_create=0", "--output-format=terse", "--aux-path="+harness.Dir(t))
}

// upgradeTo has a program take over, which must serve then.
func upgradeTo(t *testing.T, dev *harness.Dev, binary string) {
	t.Helper()
	old := dev.Status().WorkerPID
	res := harness.Uzram(t, "upgrade", "--binary", binary, dev.Dir)
	now := dev.Status().WorkerPID
	exe, _ := os.Readlink(filepath.Join("/proc", strconv.Itoa(now), "exe"))
	if res.Code != 0 || res.Stderr != "" || exe != binary || now == old {
		t.Errorf("upgrade to %s: status %d, %q; %q serves", binary, res.Code, res.Stderr, exe)
	}
}

// TestUpgrade_Older: what a program has made that is a format ahead stays with such programs; one that is behind is refused
// and nothing has happened.
func TestUpgrade_Older(t *testing.T) {
	next := nextBin(t)
	dir := filepath.Join(harness.Dir(t), "dev")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	harness.Undo(t, "mount", dir)
	loop := strings.TrimSpace(harness.Run(t, next, "mount", "--detach", "--loop", "--disksize", "16M", dir))
	fd := open(t, loop, unix.O_RDWR|unix.O_DIRECT)
	buf := aligned(t, int(mib))
	data := mixed(mib, newSeed(t))
	copy(buf, data)
	pwrite(t, fd, buf, mib)
	for _, c := range []struct {
		binary string
		code   int
		says   string
	}{
		{harness.Bin(), 1, "formats 1 to 1, and this mount has 2"},
		{next, 0, ""},
		{harness.Bin(), 1, "formats 1 to 1, and this mount has 2"},
	} {
		old := workersOf(dir)
		res := harness.Uzram(t, "upgrade", "--binary", c.binary, dir)
		if res.Code != c.code || !strings.Contains(res.Stderr, c.says) || c.code == 0 && res.Stderr != "" {
			t.Errorf("upgrade to %s: status %d, %q; want %d with %q", c.binary, res.Code, res.Stderr, c.code, c.says)
		}
		if now := workersOf(dir); (now == old) != (c.code != 0) {
			t.Errorf("upgrade to %s: before it %q served, now %q", c.binary, old, now)
		}
		expectBytes(t, "loop device", pread(t, fd, len(buf), mib), data)
	}
	shut(t, fd)
	harness.Run(t, harness.Bin(), "umount", dir)
	soon(t, "all processes are gone", func() bool { return len(servants(dir)) == 0 })
}

// workersOf is the process that the status names.
func workersOf(dir string) string {
	text, _ := harness.ReadFile(filepath.Join(dir, "debug/status"))
	_, after, _ := strings.Cut(text, `"worker_pid":`)
	pid, _, _ := strings.Cut(after, ",")
	return pid
}
