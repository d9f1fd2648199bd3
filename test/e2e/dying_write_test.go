package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestDyingWrite: a worker is killed while a thread of it waits in the kernel to write to the backing file. Its successor
// serves, but takes no block of the backing device until that write is over; then it goes on with what had begun. What
// makes the write wait is a file system that is frozen.
func TestDyingWrite(t *testing.T) {
	disk := filepath.Join(harness.Dir(t), "disk")
	harness.Run(t, "truncate", "-s", "64M", disk)
	loop := attachedLoop(t, disk)
	harness.Run(t, "mkfs.ext4", "-q", loop)
	dir := harness.MountFS(t, loop)
	backing := filepath.Join(dir, "backing")
	harness.Run(t, "truncate", "-s", "8M", backing)
	dev := harness.Mount(t, harness.Options{Disksize: "16M", Args: []string{"--backing-dev", backing}})
	fd := open(t, dev.Image, unix.O_RDWR|unix.O_DIRECT)
	const pages = 64
	data, seed := aligned(t, pages*page), newSeed(t)
	for i := range int64(pages) {
		harness.FillPage(data[i*page:][:page], harness.Random, seed+uint64(i))
	}
	pwrite(t, fd, data, 0)

	thaw := freeze(t, dir)
	written := make(chan error, 1)
	go func() { written <- dev.Write("writeback", "page_indexes=0-63") }()
	first := dev.PID
	soon(t, "a thread of the worker waits for the file system", func() bool { return waiting(first) })
	if err := unix.Kill(first, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	soon(t, "another worker serves", func() bool { return dev.Status().WorkerPID != first })
	if !waiting(first) {
		t.Fatal("the killed worker is gone: nothing to be seen here")
	}
	for i := range int64(pages / 2) { // so that what is still to be written is known to be old
		harness.FillPage(data[i*page:][:page], harness.Random, ^seed-uint64(i))
	}
	pwrite(t, fd, data[:pages/2*page], 0)
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if bd := dev.Numbers("bd_stat"); bd[0] != 0 {
			t.Fatalf("bd_stat %v: blocks are taken though a dead process may write to them", bd)
		}
	}
	expectBytes(t, "the image, all in memory", pread(t, fd, len(data), 0), data)
	thaw()
	if err := <-written; err != nil {
		t.Errorf("writeback: %v", err)
	}
	if bd := dev.Numbers("bd_stat"); bd[0] == 0 {
		t.Errorf("bd_stat %v: nothing was written back", bd)
	}
	if !harness.WaitGone(first, patience) {
		t.Error("the killed worker stays")
	}
	expectBytes(t, "the image, on the backing device", pread(t, fd, len(data), 0), data)
	harness.Run(t, harness.Bin(), "check", dev.Dir)
	shut(t, fd)
	dev.PID = dev.Status().WorkerPID
	dev.Umount()
}

// freeze has all writes to a file system wait until thaw is called, or this process has ended.
func freeze(t *testing.T, dir string) (thaw func()) {
	t.Helper()
	p := harness.Start(t, "sh", "-c", `fsfreeze --freeze "$1" && echo frozen && read -r _; fsfreeze --unfreeze "$1"`, "sh", dir)
	thawed := false
	thaw = func() {
		if !thawed {
			thawed = true
			p.CloseStdin()
			p.Wait(t, patience)
		}
	}
	t.Cleanup(thaw)
	if line := p.Stdout.Line(t, patience); line != "frozen" {
		t.Fatalf("fsfreeze: %q", line)
	}
	return thaw
}

// waiting says whether a thread of a process waits in the kernel and cannot be interrupted.
func waiting(pid int) bool {
	threads, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "stat"))
	for _, name := range threads {
		line, _ := os.ReadFile(name)
		if _, state, ok := strings.Cut(string(line), ") "); ok && strings.HasPrefix(state, "D") {
			return true
		}
	}
	return false
}
