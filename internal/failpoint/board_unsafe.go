package failpoint

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// BoardEnv names the file of a board to share, Env has orders for a process
// alone.
const (
	BoardEnv = "UZRAM_FAILPOINT_BOARD"
	Env      = "UZRAM_FAILPOINT"
)

// NewBoard makes a board in memory. The variable for those who are to share it
// is BoardEnv=path, for as long as this process has the descriptor.
func NewBoard() (b *Board, path string, fd int, err error) {
	fd, err = unix.MemfdCreate("failpoints", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, "", -1, err
	}
	path = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)
	if err = unix.Ftruncate(fd, int64(unsafe.Sizeof(Board{}))); err == nil {
		b, err = OpenBoard(path)
	}
	if err != nil {
		unix.Close(fd)
		return nil, "", -1, err
	}
	return b, path, fd, nil
}

// OpenBoard maps a board that NewBoard made; it stays mapped until the process
// ends. EINVAL: the file is none of this version.
func OpenBoard(path string) (*Board, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", path, err)
	}
	defer unix.Close(fd)
	const size = int(unsafe.Sizeof(Board{}))
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, fmt.Errorf("board %s: %w", path, err)
	}
	if st.Size != int64(size) {
		return nil, fmt.Errorf("board %s of %d bytes, want %d: %w", path, st.Size, size, unix.EINVAL)
	}
	mem, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("board %s: %w", path, err)
	}
	return (*Board)(unsafe.Pointer(&mem[0])), nil
}
