//go:build !race

package offheap

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// backing is what stands behind an arena's memory.
type backing struct{ fd int }

func (a *Arena) reserve(purpose Purpose, size int64) error {
	name := "uzram-" + purpose.String()
	fd, err := noswapFile(name, size)
	if err != nil {
		fd, err = sealedFile(name, size)
	}
	if err == nil {
		if err = a.mapFD(fd, size); err != nil {
			unix.Close(fd)
		}
	}
	if err != nil {
		return fmt.Errorf("%w (%v)", unix.ENOMEM, err)
	}
	return nil
}

// sealedFile is memory whose size stays as it is.
func sealedFile(name string, size int64) (int, error) {
	fd, err := memfd(name)
	if err != nil {
		return -1, err
	}
	err = unix.Ftruncate(fd, size)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, sizeSeals|unix.F_SEAL_SEAL)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// sizeSeals keep the size as it is: a page that somebody cuts off would kill who
// touches it. Punching holes is none of their business.
const sizeSeals = unix.F_SEAL_GROW | unix.F_SEAL_SHRINK

// memfd asks for a descriptor that can never be executed; kernels before 6.3 do
// not know that flag.
func memfd(name string) (int, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	return fd, err
}

func (a *Arena) mapFD(fd int, size int64) error {
	mem, err := unix.Mmap(fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_NORESERVE)
	if err != nil {
		return err
	}
	// Best effort: pages of a disk have no place in a core dump.
	_ = unix.Madvise(mem, unix.MADV_DONTDUMP)
	a.mem, a.fd = mem, fd
	return nil
}

// FD is the arena's descriptor, which stays the arena's; -1 where it has none.
func (a *Arena) FD() int { return a.fd }

// Open maps what New made, in this process or another. The arena owns fd from
// then on; after an error it is still the caller's. Errors wrap EINVAL where fd
// is not an arena of that purpose, and say why, or ENOMEM.
func Open(fd int, purpose Purpose) (*Arena, error) {
	a, err := open(fd, purpose)
	if err != nil {
		return nil, fmt.Errorf("arena %v: %w", purpose, err)
	}
	return a, nil
}

func open(fd int, purpose Purpose) (*Arena, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("descriptor %d: %w (%v)", fd, unix.EINVAL, err)
	}
	// The seals say that it is memory and will not change its size.
	seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
	if err != nil || seals&sizeSeals != sizeSeals && !isNoswapFile(fd, &st, seals) {
		return nil, fmt.Errorf("descriptor %d is no sealed memory: %w", fd, unix.EINVAL)
	}
	var raw [headerBytes]byte
	n, err := unix.Pread(fd, raw[:], 0)
	if err != nil {
		return nil, fmt.Errorf("its header: %w (%v)", unix.EINVAL, err)
	}
	h, ok := decodeHeader(raw[:n])
	if !ok {
		return nil, fmt.Errorf("it has no header of an arena: %w", unix.EINVAL)
	}
	if err := h.check(purpose, uint64(st.Size)); err != nil {
		return nil, err
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
		return nil, fmt.Errorf("descriptor %d: %w (%v)", fd, unix.EINVAL, err)
	}
	a := &Arena{purpose: purpose}
	if err := a.mapFD(fd, st.Size); err != nil {
		return nil, fmt.Errorf("%d bytes: %w (%v)", st.Size, unix.ENOMEM, err)
	}
	return a, nil
}

// DataFrom is where the first page at or after from is that has memory, in bytes
// of Bytes; the arena's size if there is none. from is a multiple of a page.
// Reading a page without memory takes some.
func (a *Arena) DataFrom(from uint64) uint64 {
	size := uint64(len(a.mem))
	if from >= size {
		return size
	}
	at, err := unix.Seek(a.fd, int64(from), unix.SEEK_DATA)
	switch err {
	case nil:
		return uint64(at)
	case unix.ENXIO:
		return size
	}
	return from // looking at too much is the safe side
}

// NextData is the first stretch [start, end) at or after from that has memory,
// as DataFrom has it; start == end == the arena's size if there is none. It costs
// by the length of the stretch.
func (a *Arena) NextData(from uint64) (start, end uint64) {
	size := uint64(len(a.mem))
	if start = a.DataFrom(from); start == size {
		return size, size
	}
	hole, err := unix.Seek(a.fd, int64(start), unix.SEEK_HOLE)
	if err != nil {
		return start, size
	}
	return start, uint64(hole)
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
