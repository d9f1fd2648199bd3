package fusefs

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel remembers the image's size. Whoever has the image open, or opens
// it, must see a new one at once, however he asks.
func TestMount_SizeIsSeenAtOnce(t *testing.T) {
	s := mountedHere(t)
	buf := pages(t, 8192)
	for round, size := range []int64{4096, 64 << 20, 8192, 32 << 20} {
		plain := s.open("image", unix.O_RDWR)
		direct := s.open("image", unix.O_RDWR|unix.O_DIRECT)
		async := s.open("image", unix.O_RDWR|unix.O_DIRECT)
		if n := aioRead(t, async, buf, 0); n != 0 {
			t.Errorf("round %d: %d bytes read of an unset device", round, n)
		}
		s.set("disksize", fmt.Sprint(size))
		if n := aioRead(t, async, buf[:4096], size-4096); n != 4096 {
			t.Errorf("size %d: an asynchronous read at its end gives %d bytes", size, n)
		}
		if n := aioRead(t, async, buf, size-4096); n != 4096 {
			t.Errorf("size %d: an asynchronous read over its end gives %d bytes", size, n)
		}
		if n, err := unix.Pread(direct, buf, size-4096); n != 4096 || err != nil {
			t.Errorf("size %d: a direct read gives %d, %v", size, n, err)
		}
		if n, err := unix.Pread(plain, buf, size-4096); n != 4096 || err != nil {
			t.Errorf("size %d: a read gives %d, %v", size, n, err)
		}
		if end, err := unix.Seek(plain, 0, unix.SEEK_END); end != size || err != nil {
			t.Errorf("size %d: the end is at %d, %v", size, end, err)
		}
		s.checkSize(plain, size)
		for _, fd := range []int{plain, direct, async} {
			unix.Close(fd)
		}
		s.set("reset", "1") // and nothing between this and the checks that makes the kernel ask anyway
		fresh := s.open("image", unix.O_RDONLY|unix.O_DIRECT)
		s.checkSize(fresh, 0)
		if n := aioRead(t, fresh, buf, 0); n != 0 {
			t.Errorf("after a reset: %d bytes", n)
		}
		s.checkSize(fresh, 0)
		unix.Close(fresh)
	}
}

func (s *server) checkSize(fd int, want int64) {
	s.t.Helper()
	var byFD, byName unix.Stat_t
	if err := unix.Fstat(fd, &byFD); err != nil {
		s.t.Error(err)
	}
	if err := unix.Stat(s.path("image"), &byName); err != nil {
		s.t.Error(err)
	}
	if byFD.Size != want || byName.Size != want {
		s.t.Errorf("stat gives %d and %d bytes, want %d", byFD.Size, byName.Size, want)
	}
}

// Nothing of the disk may stay in the kernel's page cache, where it would lie a
// second time and uncompressed.
func TestMount_NothingIsCached(t *testing.T) {
	s := mountedHere(t)
	s.set("disksize", "4M")
	fd := s.open("image", unix.O_RDWR)
	defer unix.Close(fd)
	data := make([]byte, 4<<20)
	if _, err := unix.Write(fd, data); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pread(fd, data, 0); err != nil {
		t.Fatal(err)
	}
	mem, err := unix.Mmap(fd, 0, len(data), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Munmap(mem)
	if n := residentPages(t, mem); n != 0 {
		t.Errorf("%d pages of the image are cached", n)
	}
	if _, err := unix.Mmap(fd, 0, len(data), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != unix.ENODEV {
		t.Errorf("a shared mapping, which only the page cache could serve: %v", err)
	}
}
