package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// maxSetUp is what a device may cost before anything is stored on it.
const maxSetUp = 8 * mib

// TestFootprint: a device of 1 TiB that has just been set up costs next to nothing, and stores and gives back at its far
// end as well as at its start.
func TestFootprint(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	unset := footprint(t, dev.PID)
	dev.Set("disksize", "1T")
	set := footprint(t, dev.PID)
	t.Logf("unset %d KiB, 1 TiB %d KiB", unset/kib, set/kib)
	if set-unset >= maxSetUp {
		t.Errorf("setting up 1 TiB cost %d KiB, want less than %d", (set-unset)/kib, maxSetUp/kib)
	}

	fd := open(t, dev.Image, unix.O_RDWR)
	data := mixed(page, newSeed(t))
	for off := int64(0); off < 1<<40; off += 64 * gib {
		pwrite(t, fd, data, off)
	}
	last := int64(1)<<40 - page
	pwrite(t, fd, data, last)
	expectBytes(t, "last page", pread(t, fd, page, last), data)
	expectBytes(t, "page before it", pread(t, fd, page, last-page), make([]byte, page))
	if touched := footprint(t, dev.PID); touched-set >= maxSetUp {
		t.Errorf("17 pages on 1 TiB cost %d KiB, want less than %d", (touched-set)/kib, maxSetUp/kib)
	}
	shut(t, fd)
	dev.Set("reset", "1")
	if after := footprint(t, dev.PID); after-unset >= maxSetUp {
		t.Errorf("after reset %d KiB more than before, want less than %d", (after-unset)/kib, maxSetUp/kib)
	}
}

// footprint returns the memory a process costs, in bytes: its resident pages and page tables, and the pages of memory
// files that it holds without having them mapped.
func footprint(t *testing.T, pid int) int64 {
	t.Helper()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	own := field(t, filepath.Join(proc, "status"), "RssAnon") + field(t, filepath.Join(proc, "status"), "RssFile") +
		field(t, filepath.Join(proc, "status"), "VmPTE")
	shared := field(t, filepath.Join(proc, "status"), "RssShmem")
	// What is mapped of a memory file shows in both.
	return own + max(shared, memfds(t, proc))
}

// field returns a value of a "Name: N kB" file in bytes.
func field(t *testing.T, path, name string) int64 {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		if len(f) == 3 && f[0] == name+":" && f[2] == "kB" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n * kib
		}
	}
	t.Fatalf("%s has no %s", path, name)
	return 0
}

// memfds returns how many bytes the memory files that a process has open take.
func memfds(t *testing.T, proc string) int64 {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := map[string]int64{}
	for _, e := range entries {
		path := filepath.Join(proc, "fd", e.Name())
		to, err := os.Readlink(path)
		if err != nil || !strings.HasPrefix(to, "/memfd:") {
			continue
		}
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		blocks[fmt.Sprint(st.Dev, st.Ino)] = st.Blocks * 512
	}
	var sum int64
	for _, n := range blocks {
		sum += n
	}
	return sum
}
