package e2e

import (
	"bytes"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

const (
	page = harness.PageSize
	kib  = int64(1) << 10
	mib  = int64(1) << 20
	gib  = int64(1) << 30

	// patience is for what should take milliseconds but waits for other processes.
	patience = 30 * time.Second
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// newSeed returns a seed and prints it.
func newSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %#x", seed)
	return seed
}

// open opens a file raw, for a single system call per read and write, until the test ends or shut closes it.
func open(t *testing.T, path string, flags int) int {
	t.Helper()
	fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	openFDs[fd] = true
	t.Cleanup(func() { shut(t, fd) })
	return fd
}

// openFDs are the descriptors that open has opened and nobody closed; one test runs at a time.
var openFDs = map[int]bool{}

// shut closes a descriptor of open, once.
func shut(t *testing.T, fd int) {
	t.Helper()
	if !openFDs[fd] {
		return
	}
	delete(openFDs, fd)
	if err := unix.Close(fd); err == unix.EBADF { // others come from a dead daemon, and the descriptor is closed
		t.Errorf("close: %v", err)
	}
}

func pwrite(t *testing.T, fd int, p []byte, off int64) {
	t.Helper()
	if n, err := unix.Pwrite(fd, p, off); err != nil || n != len(p) {
		t.Fatalf("write of %d bytes at %d: %d, %v", len(p), off, n, err)
	}
}

func pread(t *testing.T, fd int, n int, off int64) []byte {
	t.Helper()
	p := make([]byte, n)
	if m, err := unix.Pread(fd, p, off); err != nil || m != n {
		t.Fatalf("read of %d bytes at %d: %d, %v", n, off, m, err)
	}
	return p
}

// expectBytes compares and names the first difference.
func expectBytes(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("%s: byte %d is %#02x, want %#02x", what, i, got[i], want[i])
		}
	}
	t.Fatalf("%s: %d bytes, want %d", what, len(got), len(want))
}

// mixed returns n bytes of pages of all kinds.
func mixed(n int64, seed uint64) []byte {
	p := make([]byte, n)
	harness.FillMixed(p, seed)
	return p
}

// refuse gives a command to an attribute that must not take it.
func refuse(t *testing.T, d *harness.Dev, attr, command string, want unix.Errno) {
	t.Helper()
	if err := d.Write(attr, command); harness.Errno(err) != want {
		t.Errorf("%s <- %q: %v, want %v", attr, command, err, want)
	}
}

// deviceSize asks the kernel how large a block device is.
func deviceSize(t *testing.T, dev string) int64 {
	t.Helper()
	fd, err := unix.Open(dev, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open %s: %v", dev, err)
	}
	defer unix.Close(fd)
	n, err := unix.Seek(fd, 0, unix.SEEK_END)
	if err != nil {
		t.Fatalf("size of %s: %v", dev, err)
	}
	return n
}
