package blockfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// adopted is what a process makes of a copy of the descriptor that it was left.
func adopted(t *testing.T, f *File) (*File, error) {
	t.Helper()
	fd, err := unix.FcntlInt(uintptr(f.FD()), unix.F_DUPFD, 0)
	if err != nil {
		t.Fatal(err)
	}
	next, err := Adopt(fd, f.Path(), f.Size())
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	t.Cleanup(func() { mustClose(t, next) })
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("descriptor flags %#x, %v: programs would inherit it", flags, err)
	}
	return next, nil
}

// A file and a block device that are taken over are what they were, and taken
// still when the process that took them is gone.
func TestAdopt(t *testing.T) {
	path := fresh(t, 8*Block+5)
	for _, path := range []string{path, loop(t, fresh(t, 8*Block)).Path()} {
		f := mustOpen(t, path)
		next, err := adopted(t, f)
		if err != nil {
			t.Fatal(err)
		}
		if next.Path() != f.Path() || next.Size() != f.Size() || next.Direct() != f.Direct() || next.plain != f.plain {
			t.Errorf("%+v, was %+v", next, f)
		}
		mustClose(t, f)
		if _, err := Open(path); !errors.Is(err, syscall.EBUSY) {
			t.Errorf("%s: %v, want EBUSY", path, err)
		}
		wantIO(t, next)
	}
}

// A file that has become shorter has the size that it had: what is cut off is an
// error as long as it is, and there again when it is there again.
func TestAdoptOfAShorterFile(t *testing.T) {
	path := fresh(t, 8*Block)
	f := opened(t, path)
	for _, size := range []int64{2 * Block, 0} {
		if err := os.Truncate(path, size); err != nil {
			t.Fatal(err)
		}
		next, err := adopted(t, f)
		if err != nil || next.Size() != 8*Block {
			t.Fatalf("%d bytes are left: %+v, %v", size, next, err)
		}
		got := block(t, 1, 0)
		if n, err := next.ReadAt(got, 4*Block); n != 0 || err != io.ErrUnexpectedEOF {
			t.Errorf("read past the end: %d, %v", n, err)
		}
		if _, err := next.WriteAt(block(t, 1, 1), 6*Block); !errors.Is(err, syscall.EIO) {
			t.Errorf("a write that would leave a hole: %v; want EIO", err)
		}
		if err := os.Truncate(path, 8*Block); err != nil {
			t.Fatal(err)
		}
		wantIO(t, next)
	}
}

// What cannot be a backing file is refused, and stays the caller's.
func TestAdoptRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, make([]byte, Block), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path  string
		flags int
		want  syscall.Errno
	}{
		{file, unix.O_RDONLY, syscall.EINVAL},
		{file, unix.O_WRONLY, syscall.EINVAL},
		{file, unix.O_PATH, syscall.EINVAL},
		{dir, unix.O_RDONLY, syscall.EINVAL},
		{os.DevNull, unix.O_RDWR, syscall.ENOTBLK},
	} {
		fd, err := unix.Open(c.path, c.flags|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		if f, err := Adopt(fd, c.path, Block); f != nil || !errors.Is(err, c.want) {
			t.Errorf("%s, flags %#x: %v, want %v", c.path, c.flags, err, c.want)
		}
		if err := unix.Close(fd); err != nil {
			t.Errorf("%s: the descriptor is closed: %v", c.path, err)
		}
	}
	if _, err := Adopt(-1, file, Block); !errors.Is(err, syscall.EBADF) {
		t.Errorf("no descriptor: %v", err)
	}
}
