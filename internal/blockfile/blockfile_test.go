package blockfile

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"uzram/internal/loopdev"

	"golang.org/x/sys/unix"
)

// fresh is a file of so many bytes.
func fresh(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(realDir(t), "file")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

// realDir is a directory under a name without symbolic links, which loop devices want.
func realDir(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// opened is a file that is open to the end of the test.
func opened(t *testing.T, path string) *File {
	t.Helper()
	f := mustOpen(t, path)
	t.Cleanup(func() { mustClose(t, f) })
	return f
}

func mustOpen(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustClose(t *testing.T, f *File) {
	t.Helper()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// block is n blocks of b at an address fit for direct I/O.
func block(t *testing.T, n int, b byte) []byte {
	t.Helper()
	p, err := unix.Mmap(-1, 0, n*Block, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(p); err != nil {
			t.Error(err)
		}
	})
	for i := range p {
		p[i] = b
	}
	return p
}

// loop attaches a loop device to a file for the length of the test. It needs root.
func loop(t *testing.T, path string) *loopdev.Device {
	t.Helper()
	d, err := loopdev.Attach(path, Block)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Detach(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestOpenRefuses(t *testing.T) {
	dir := realDir(t)
	fifo, link := filepath.Join(dir, "fifo"), filepath.Join(dir, "link")
	if err := errors.Join(unix.Mkfifo(fifo, 0o600), os.Symlink(filepath.Join(dir, "none"), link)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		want       syscall.Errno
	}{
		{"no path", "", syscall.EISDIR},
		{"missing", filepath.Join(dir, "none"), syscall.ENOENT},
		{"link to nothing", link, syscall.ENOENT},
		{"below a file", filepath.Join(fresh(t, Block), "x"), syscall.ENOTDIR},
		{"directory", dir, syscall.EISDIR},
		{"character device", "/dev/null", syscall.ENOTBLK},
		{"pipe", fifo, syscall.ENOTBLK},
		{"empty", fresh(t, 0), syscall.EINVAL},
		{"short", fresh(t, Block-1), syscall.EINVAL},
	} {
		f, err := Open(c.path)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
		if f != nil {
			t.Errorf("%s: a file beside the error", c.name)
		}
	}
}

// What was refused is closed again: its lock is free, and so is the descriptor.
func TestOpenLeavesNothingOpen(t *testing.T) {
	lowest := func() int {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		return fd
	}
	before, path := lowest(), fresh(t, Block)
	for range 3 {
		if _, err := Open(fresh(t, 1)); !errors.Is(err, syscall.EINVAL) {
			t.Fatal(err)
		}
		f := mustOpen(t, path)
		if _, err := Open(path); !errors.Is(err, syscall.EBUSY) {
			t.Fatal(err)
		}
		mustClose(t, f)
	}
	if after := lowest(); after != before {
		t.Errorf("the lowest free descriptor is %d, was %d", after, before)
	}
}

func TestSizesAreWholeBlocks(t *testing.T) {
	for _, c := range []struct{ size, want int64 }{{Block, Block}, {2*Block - 1, Block}, {2 * Block, 2 * Block}, {1<<30 + 7, 1 << 30}} {
		f := opened(t, fresh(t, c.size))
		if f.Size() != c.want {
			t.Errorf("a file of %d bytes is taken for %d, want %d", c.size, f.Size(), c.want)
		}
	}
}

func TestPathIsAbsolute(t *testing.T) {
	path := fresh(t, Block)
	t.Chdir(filepath.Dir(path))
	if f := opened(t, "file"); f.Path() != path {
		t.Errorf("path %q, want %q", f.Path(), path)
	}
}

// Two files of one process exclude each other as those of two processes do.
func TestPlainFileIsTaken(t *testing.T) {
	path := fresh(t, 4*Block)
	f := mustOpen(t, path)
	if _, err := Open(path); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("a file that is open: %v, want EBUSY", err)
	}
	mustClose(t, f)
	mustClose(t, mustOpen(t, path))

	// Somebody else's lock counts too.
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Flock(fd, unix.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("a file with somebody's lock: %v, want EBUSY", err)
	}
}

func TestBlockDevice(t *testing.T) {
	d := loop(t, fresh(t, 8*Block))
	f := mustOpen(t, d.Path())
	if f.Size() != 8*Block || !f.Direct() {
		t.Errorf("%d bytes, direct %v", f.Size(), f.Direct())
	}
	if _, err := Open(d.Path()); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("a device that is open: %v, want EBUSY", err)
	}
	wantIO(t, f)
	mustClose(t, f)

	fd, err := unix.Open(d.Path(), unix.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(d.Path()); !errors.Is(err, syscall.EBUSY) {
		t.Errorf("a device that somebody has for himself: %v, want EBUSY", err)
	}
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	mustClose(t, mustOpen(t, d.Path()))
}

// wantIO writes blocks 1 to 3, and reads them and their neighbours.
func wantIO(t *testing.T, f *File) {
	t.Helper()
	p := block(t, 3, 7)
	if n, err := f.WriteAt(p, Block); n != len(p) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
	got := block(t, 5, 1)
	if n, err := f.ReadAt(got, 0); n != len(got) || err != nil {
		t.Fatalf("read: %d, %v", n, err)
	}
	want := slices.Concat(block(t, 1, 0), p, block(t, 1, 0))
	if !bytes.Equal(got, want) {
		t.Error("read something else than was written")
	}
}

func TestPlainFile(t *testing.T) { wantIO(t, opened(t, fresh(t, 8*Block))) }

// A file that has no directory will do, on a file system that has no device.
func TestMemoryFile(t *testing.T) {
	fd, err := unix.MemfdCreate("backing", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Ftruncate(fd, 8*Block); err != nil {
		t.Fatal(err)
	}
	wantIO(t, opened(t, "/proc/self/fd/"+strconv.Itoa(fd)))
}

// Where there is no direct I/O, the page cache will do. Attributes in sysfs are
// files that have none.
func TestWithoutDirectIO(t *testing.T) {
	d := loop(t, fresh(t, Block))
	attr := filepath.Join("/sys/block", filepath.Base(d.Path()), "queue/read_ahead_kb")
	if f := opened(t, attr); f.Direct() || f.Size() != Block {
		t.Errorf("direct %v, %d bytes", f.Direct(), f.Size())
	}
}

// What is there no more is an error, never zeros.
func TestShorterFile(t *testing.T) {
	path := fresh(t, 8*Block)
	f := opened(t, path)
	wantIO(t, f)
	if err := os.Truncate(path, 2*Block); err != nil {
		t.Fatal(err)
	}
	got := block(t, 4, 0)
	if n, err := f.ReadAt(got, 0); n != 2*Block || err != io.ErrUnexpectedEOF {
		t.Errorf("read across the end: %d, %v; want %d, %v", n, err, 2*Block, io.ErrUnexpectedEOF)
	}
	if n, err := f.ReadAt(got, 4*Block); n != 0 || err != io.ErrUnexpectedEOF {
		t.Errorf("read past the end: %d, %v; want 0, %v", n, err, io.ErrUnexpectedEOF)
	}
	if n, err := f.WriteAt(block(t, 1, 1), 6*Block); n != 0 || !errors.Is(err, syscall.EIO) {
		t.Errorf("a write that would leave a hole: %d, %v; want EIO", n, err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() != 2*Block {
		t.Errorf("the file is %d bytes long, %v", st.Size(), err)
	}
	if f.Size() != 8*Block {
		t.Errorf("size %d, was %d when it was opened", f.Size(), 8*Block)
	}
}

func TestImpossibleRequests(t *testing.T) {
	f := opened(t, fresh(t, Block))
	var errno syscall.Errno
	if _, err := f.WriteAt(block(t, 1, 1), math.MaxInt64&^(Block-1)); !errors.As(err, &errno) {
		t.Errorf("a write that cannot be: %v, want an errno", err)
	}
	if n, err := f.ReadAt(block(t, 1, 0), -Block); n != 0 || !errors.Is(err, syscall.EINVAL) {
		t.Errorf("a read before the beginning: %d, %v", n, err)
	}
}

func TestNew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new")
	defer unix.Umask(unix.Umask(0))
	if err := New(path, 1<<40+1); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	if st.Mode != unix.S_IFREG|0o600 || st.Size != 1<<40+1 || st.Blocks != 0 {
		t.Errorf("mode %o, %d bytes in %d sectors", st.Mode, st.Size, st.Blocks)
	}
	if err := New(path, Block); !errors.Is(err, os.ErrExist) {
		t.Errorf("a second time: %v, want %v", err, os.ErrExist)
	}
	for _, size := range []uint64{0, 1, Block - 1, math.MaxInt64 + 1, math.MaxUint64} {
		none := filepath.Join(t.TempDir(), "none")
		if err := New(none, size); !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%d bytes: %v, want EINVAL", size, err)
		}
		if _, err := os.Stat(none); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%d bytes: there is a file: %v", size, err)
		}
	}
	if err := New(filepath.Join(t.TempDir(), "none", "x"), Block); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("in a directory that is missing: %v", err)
	}
	// More than the file system can have in one file.
	none := filepath.Join(t.TempDir(), "none")
	if err := New(none, math.MaxInt64); err == nil {
		return
	}
	if _, err := os.Stat(none); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that could not be sized is still there: %v", err)
	}
}

func TestCreateLeavesWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new")
	if err := os.WriteFile(path, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, 1<<20); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	st, statErr := os.Stat(path)
	if err = errors.Join(err, statErr); err != nil || string(got) != "precious" || st.Mode() != 0o644 {
		t.Errorf("%q, mode %v, %v", got, st.Mode(), err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if err := Create(other, 2*Block); err != nil {
		t.Fatal(err)
	}
	if f := opened(t, other); f.Size() != 2*Block {
		t.Errorf("%d bytes", f.Size())
	}
	if err := Create(other, Block-1); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("too small: %v, want EINVAL", err)
	}
}
