//go:build !race

package offheap

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// backing is what stands behind an arena's memory.
type backing struct{ fd int }

func (a *Arena) reserve(purpose Purpose, size int64) error {
	fd, err := memfd("uzram-" + purpose.String())
	if err != nil {
		return err
	}
	if err := unix.Ftruncate(fd, size); err != nil {
		unix.Close(fd)
		return fmt.Errorf("%w (%v)", unix.ENOMEM, err)
	}
	mem, err := unix.Mmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		unix.Close(fd)
		return fmt.Errorf("%w (%v)", unix.ENOMEM, err)
	}
	// Best effort: pages of a disk have no place in a core dump.
	_ = unix.Madvise(mem, unix.MADV_DONTDUMP)
	a.mem, a.fd = mem, fd
	return nil
}

// memfd asks for a descriptor that can never be executed; kernels before 6.3 do
// not know that flag.
func memfd(name string) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	return fd, err
}

func (a *Arena) populate(off, n int) error {
	for {
		switch err := unix.Madvise(a.mem[off:off+n], unix.MADV_POPULATE_WRITE); err {
		case nil:
			return nil
		case unix.EAGAIN, unix.EINTR:
		case unix.EINVAL:
			// Linux before 5.14: the fault on first touch does it.
			return nil
		default:
			return fmt.Errorf("populating %d bytes: %w (%v)", n, unix.ENOMEM, err)
		}
	}
}

// Punch gives the pages of [off, off+n) back to the system; they read as zeros
// afterwards. off and n are multiples of a page.
func (a *Arena) Punch(off, n int) error {
	for {
		err := unix.Fallocate(a.fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(off), int64(n))
		if err != unix.EINTR {
			return err
		}
	}
}

// Resident is the memory that the arena really takes, in bytes.
func (a *Arena) Resident() uint64 {
	var st unix.Stat_t
	if unix.Fstat(a.fd, &st) != nil {
		return 0
	}
	return uint64(st.Blocks) * 512
}

// Close gives everything back. Nothing may touch the memory afterwards.
func (a *Arena) Close() error {
	err := unix.Munmap(a.mem)
	a.mem = nil
	if e := unix.Close(a.fd); err == nil {
		err = e
	}
	return err
}
