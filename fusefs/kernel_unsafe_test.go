package fusefs

import (
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// iocb is struct iocb of linux/aio_abi.h on a little-endian machine.
type iocb struct {
	_      [2]uint64
	opcode uint16
	_      int16
	fd     uint32
	buf    uint64
	nbytes uint64
	offset int64
	_      [2]uint64
}

const iocbPread = 0

type ioEvent struct {
	_   [2]uint64
	res int64
	_   int64
}

// aioRead reads like libaio does: asynchronously, one request.
func aioRead(t *testing.T, fd int, buf []byte, off int64) int {
	t.Helper()
	var ctx uintptr
	if _, _, errno := unix.Syscall(unix.SYS_IO_SETUP, 1, uintptr(unsafe.Pointer(&ctx)), 0); errno != 0 {
		t.Fatal(errno)
	}
	defer unix.Syscall(unix.SYS_IO_DESTROY, ctx, 0, 0)
	cb := &iocb{opcode: iocbPread, fd: uint32(fd), buf: uint64(uintptr(unsafe.Pointer(&buf[0]))), nbytes: uint64(len(buf)), offset: off}
	list := [1]*iocb{cb}
	if _, _, errno := unix.Syscall(unix.SYS_IO_SUBMIT, ctx, 1, uintptr(unsafe.Pointer(&list))); errno != 0 {
		t.Fatal(errno)
	}
	var event ioEvent
	for {
		n, _, errno := unix.Syscall6(unix.SYS_IO_GETEVENTS, ctx, 1, 1, uintptr(unsafe.Pointer(&event)), 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 || n != 1 {
			t.Fatalf("io_getevents: %d, %v", n, errno)
		}
		break
	}
	if event.res < 0 {
		t.Fatal(syscall.Errno(-event.res))
	}
	return int(event.res)
}

// pages is n bytes of page-aligned memory, as direct I/O wants it.
func pages(t *testing.T, n int) []byte {
	t.Helper()
	mem, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(mem) })
	return mem
}

// residentPages counts the pages of a mapping that are in the page cache.
func residentPages(t *testing.T, mem []byte) (n int) {
	t.Helper()
	vec := make([]byte, len(mem)/4096)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mem[0])), uintptr(len(mem)), uintptr(unsafe.Pointer(&vec[0]))); errno != 0 {
		t.Fatal(errno)
	}
	for _, v := range vec {
		n += int(v & 1)
	}
	return n
}

// pageOffset is how far an address is behind the start of its page.
func pageOffset(p *byte) uintptr { return uintptr(unsafe.Pointer(p)) % pageSize }
