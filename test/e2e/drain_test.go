package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"uzram/internal/zramabi"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

func inMemory(p zramabi.PageState) bool  { return p.Size > 0 }
func onBacking(p zramabi.PageState) bool { return p.WrittenBack }

// TestDrain: nothing that takes memory stays in it, recompressed pages go as they are, and all reads back.
func TestDrain(t *testing.T) {
	file := filepath.Join(harness.Dir(t), "backing")
	dev, data := postDev(t, 8*mib, "1:zstd", "--backing-dev", file+":16M", "--set", "compressed_writeback=1")
	dev.Set("idle", "all")
	dev.Set("recompress", "priority=1")
	before := pageStates(t, dev)
	recompressed := countPages(before, func(p zramabi.PageState) bool { return p.Priority == 1 })
	want := countPages(before, inMemory)
	if recompressed == 0 || recompressed == want {
		t.Fatalf("%d of %d pages are recompressed, want some", recompressed, want)
	}
	foretold := wantSaid(t, postVerb(t, dev, "drain", "--dry-run"), "would write N pages to the backing device; their objects take SIZE of memory")
	if n := countPages(pageStates(t, dev), inMemory); foretold[0] != want || n != want {
		t.Errorf("foretells %d of %d pages, and leaves %d", foretold[0], want, n)
	}
	done := wantSaid(t, postVerb(t, dev, "drain"), "wrote N pages back, SIZE, and SIZE of memory came free, in TIME")
	after := pageStates(t, dev)
	if n := countPages(after, inMemory); done[0] != want || n != 0 || countPages(after, onBacking) != want {
		t.Errorf("%d pages written, want %d; %d stay in memory", done[0], want, n)
	}
	if mm := dev.MM(); mm.Compr != 0 || mm.Used != 0 {
		t.Errorf("mm_stat %+v, want no memory used", mm)
	}
	wantSaid(t, postVerb(t, dev, "drain"), "wrote N pages back, 0 B, and 0 B of memory came free, in TIME")
	fd := open(t, dev.Image, unix.O_RDONLY|unix.O_DIRECT)
	got := aligned(t, len(data))
	for off := 0; off < len(got); off += int(mib) {
		if n, err := unix.Pread(fd, got[off:off+int(mib)], int64(off)); err != nil || n != int(mib) {
			t.Fatalf("read at %d: %d, %v", off, n, err)
		}
	}
	shut(t, fd)
	expectBytes(t, "image", got, data)
	dev.Umount()
}

// TestDrain_DoesNotFit: what stays is said beforehand and afterwards, and is an error; so is a limit that is used up, and a
// device that is not there.
func TestDrain_DoesNotFit(t *testing.T) {
	file := filepath.Join(harness.Dir(t), "backing")
	dev, data := postDev(t, 4*mib, "1:zstd", "--backing-dev", file+":1M")
	want := countPages(pageStates(t, dev), inMemory)
	foretold := wantSaid(t, postVerb(t, dev, "drain", "--dry-run"),
		"would write N pages to the backing device; their objects take SIZE of memory; N pages, SIZE of data, do not fit")
	if foretold[0] != 256 || foretold[1] != want-256 {
		t.Errorf("foretells %v of %d pages", foretold, want)
	}
	dev.Set("writeback_limit", "10")
	dev.Set("writeback_limit_enable", "1")
	foretold = wantSaid(t, postVerb(t, dev, "drain", "--dry-run"),
		"would write N pages to the backing device; their objects take SIZE of memory; N pages, SIZE of data, are beyond writeback_limit")
	if foretold[0] != 10 || foretold[1] != want-10 {
		t.Errorf("foretells %v of %d pages", foretold, want)
	}
	res := harness.Uzram(t, "drain", dev.Dir)
	if res.Code != 1 || strings.Count(res.Stderr, "\n") != 1 || !strings.Contains(res.Stderr, "writeback_limit is used up; ") {
		t.Errorf("exit %d, %q, want 1 and one line that names the limit", res.Code, res.Stderr)
	}
	dev.Set("writeback_limit_enable", "0")
	res = harness.Uzram(t, "drain", dev.Dir)
	left := countPages(pageStates(t, dev), inMemory)
	_, text, ok := strings.Cut(strings.TrimSuffix(res.Stderr, "\n"), "the backing device is full; ")
	if res.Code != 1 || !ok {
		t.Fatalf("exit %d, %q", res.Code, res.Stderr)
	}
	if said := wantSaid(t, text, "N pages stay in memory, whose objects take SIZE"); said[0] != left || left != want-256 {
		t.Errorf("says that %d pages stay, %d do, want %d", said[0], left, want-256)
	}
	wantData(t, dev, data[:mib])

	bare := harness.Mount(t, harness.Options{Disksize: "1M"})
	if res := harness.Uzram(t, "drain", bare.Dir); res.Code != 1 || !strings.Contains(res.Stderr, "has no backing device") {
		t.Errorf("without a backing device: exit %d, %q", res.Code, res.Stderr)
	}
}
