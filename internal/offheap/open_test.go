//go:build !race

package offheap

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// another is a second descriptor of the same memory, as another process gets it.
func another(t *testing.T, fd int) int {
	t.Helper()
	twin, err := unix.Dup(fd)
	if err != nil {
		t.Fatal(err)
	}
	return twin
}

func TestOpenIsTheSameMemory(t *testing.T) {
	a := newArena(t, 64*HeaderSize)
	if err := a.Populate(8*HeaderSize, HeaderSize); err != nil {
		t.Fatal(err)
	}
	a.Bytes()[8*HeaderSize] = 7
	b, err := Open(another(t, a.FD()), PoolData)
	if err != nil {
		t.Fatal(err)
	}
	if flags, err := unix.FcntlInt(uintptr(b.FD()), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
		t.Errorf("flags %#x, %v: programs that we start would inherit it", flags, err)
	}
	if b.Bytes()[8*HeaderSize] != 7 || b.Resident() != 2*HeaderSize {
		t.Errorf("%d read, %d bytes resident", b.Bytes()[8*HeaderSize], b.Resident())
	}
	b.Bytes()[8*HeaderSize] = 9
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if a.Bytes()[8*HeaderSize] != 9 {
		t.Error("what was written is not there for the other")
	}
}

func TestNobodyResizesAnArena(t *testing.T) {
	fd, err := sealedFile("test", 4*HeaderSize)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	for _, size := range []int64{HeaderSize, 100 * HeaderSize} {
		if err := unix.Ftruncate(fd, size); err != unix.EPERM {
			t.Errorf("resizing to %d: %v, want EPERM", size, err)
		}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); err != unix.EPERM {
		t.Errorf("another seal: %v, want EPERM", err)
	}
}

// sealed is memory of one's own making with these first bytes.
func sealed(t *testing.T, head []byte, size int64) int {
	t.Helper()
	fd, err := memfd("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.Ftruncate(fd, size); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.Pwrite(fd, head, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, sizeSeals); err != nil {
		t.Fatal(err)
	}
	return fd
}

func TestOpenRefusesWhatIsNoSuchArena(t *testing.T) {
	head := func(h Header) []byte {
		b := make([]byte, headerBytes)
		h.put(b)
		return b
	}
	good := Header{Version: FormatVersion, Purpose: PoolData, Size: 2 * HeaderSize, Unit: 16}
	with := func(change func(*Header)) []byte {
		h := good
		change(&h)
		return head(h)
	}
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(append(head(good), make([]byte, 2*HeaderSize-headerBytes)...)); err != nil {
		t.Fatal(err)
	}
	unsealed, err := memfd("test")
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(unsealed)
	const size = 2 * HeaderSize
	for name, c := range map[string]struct {
		fd   int
		want string
	}{
		"no descriptor":   {1 << 20, "bad file descriptor"},
		"a file":          {int(file.Fd()), "no sealed memory"},
		"unsealed":        {unsealed, "no sealed memory"},
		"zeros":           {sealed(t, make([]byte, headerBytes), size), "no header"},
		"empty":           {sealed(t, nil, 0), "no header"},
		"another purpose": {sealed(t, with(func(h *Header) { h.Purpose = SlotTable }), size), "holds slots"},
		"no purpose":      {sealed(t, with(func(h *Header) { h.Purpose = 99 }), size), "holds purpose 99"},
		"newer":           {sealed(t, with(func(h *Header) { h.Version++ }), size), "format version 2"},
		"older":           {sealed(t, with(func(h *Header) { h.Version = 0 }), size), "format version 0"},
		"cut off":         {sealed(t, head(good), HeaderSize), "says 8192 bytes, it has 4096"},
	} {
		a, err := Open(c.fd, PoolData)
		if a != nil || !errors.Is(err, syscall.EINVAL) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want EINVAL and %q", name, err, c.want)
		}
	}
	fd := sealed(t, head(good), size)
	a, err := Open(another(t, fd), PoolData)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if !bytes.Equal(a.Bytes()[:headerBytes], head(good)) {
		t.Error("not the memory that was to be opened")
	}
}
