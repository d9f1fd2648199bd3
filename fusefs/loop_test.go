package fusefs

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/internal/loopdev"
)

// loopOpen opens the mount's loop device, or another file, by its full name.
func loopOpen(t *testing.T, name string, flags int) int {
	t.Helper()
	fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatalf("open %s: %v", name, err)
	}
	return fd
}

// capacity is a block device's size as its users see it.
func capacity(t *testing.T, name string) int64 {
	t.Helper()
	fd := loopOpen(t, name, unix.O_RDONLY)
	defer unix.Close(fd)
	end, err := unix.Seek(fd, 0, unix.SEEK_END)
	if err != nil {
		t.Fatal(err)
	}
	return end
}

func TestMount_OwnLoop(t *testing.T) {
	s := mounted(t, serverConfig{Dir: t.TempDir(), Loop: true})
	if st := s.status(); st.Loop == nil || *st.Loop != s.loop || s.loop == "" {
		t.Fatalf("loop device %q, status says %v", s.loop, st.Loop)
	}
	page := pages(t, 1<<20)
	for round, size := range []int64{1 << 20, 64 << 20, 2 << 20} {
		if got := capacity(t, s.loop); got != 0 {
			t.Errorf("round %d: %d bytes before disksize", round, got)
		}
		s.set("disksize", []string{"1M", "64M", "2M"}[round])
		if got := capacity(t, s.loop); got != size {
			t.Errorf("round %d: %d bytes after disksize, want %d", round, got, size)
		}
		fd := loopOpen(t, s.loop, unix.O_RDWR|unix.O_DIRECT|unix.O_EXCL)
		fillData(rand.New(rand.NewPCG(1, uint64(round))), page)
		want := bytes.Clone(page)
		if n, err := unix.Pwrite(fd, page, size-1<<20); n != len(page) || err != nil {
			t.Errorf("write: %d, %v", n, err)
		}
		clear(page)
		if n, err := unix.Pread(fd, page, size-1<<20); n != len(page) || err != nil || !bytes.Equal(page, want) {
			t.Errorf("read: %d, %v, equal %v", n, err, bytes.Equal(page, want))
		}
		if err := unix.Fsync(fd); err != nil {
			t.Error(err)
		}
		if err := s.try("reset", "1"); err != unix.EBUSY {
			t.Errorf("reset while the loop device is held: %v", err)
		}
		unix.Close(fd)
		s.set("reset", "1")
	}
}

// The loop device takes a short write for a whole one, so a write that hits the
// limit halfway must fail.
func TestMount_FailureReachesTheLoopDevice(t *testing.T) {
	s := mounted(t, serverConfig{Dir: t.TempDir(), Loop: true})
	s.set("mem_limit", "128K")
	s.set("disksize", "4M")
	fd := loopOpen(t, s.loop, unix.O_RDWR|unix.O_DIRECT)
	defer unix.Close(fd)
	noise := pages(t, 256<<10)
	for i, r := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i++ {
		noise[i] = byte(r.Uint32())
	}
	if n, err := unix.Pwrite(fd, noise, 0); err != unix.EIO {
		t.Errorf("256 KiB at a limit of 128 KiB: %d, %v; want EIO", n, err)
	}
}

func TestMount_LoopDetachedByOthers(t *testing.T) {
	s := mounted(t, serverConfig{Dir: t.TempDir(), Loop: true})
	if err := loopdev.Attached(s.loop, s.path("image")).Detach(); err != nil {
		t.Fatal(err)
	}
	s.set("disksize", "1M")
	eventually(t, "the image is closed", func() bool { return s.try("reset", "1") == nil })
}

func TestMount_ForeignLoopHoldsTheImage(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "1M")
	loop, err := loopdev.Attach(s.path("image"), loopdev.SectorSize)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.try("reset", "1"); err != unix.EBUSY {
		t.Errorf("reset: %v", err)
	}
	if said := s.command("unmount"); !strings.Contains(said, "error true") || !strings.Contains(said, loop.Path()) {
		t.Errorf("unmount: %s", said)
	}
	if err := loop.Detach(); err != nil {
		t.Error(err)
	}
	eventually(t, "the image is closed", func() bool { return s.try("reset", "1") == nil })
}
