package compress

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
)

// walled is memory between two stretches that nobody may touch: whoever reads or
// writes past either end faults.
type walled struct{ mem []byte }

// newWalled returns at least n bytes.
func newWalled(t testing.TB, n int) *walled {
	t.Helper()
	unit := os.Getpagesize()
	n = (n + unit - 1) / unit * unit
	all, err := syscall.Mmap(-1, 0, n+2*unit, syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(all); err != nil {
			t.Error(err)
		}
	})
	w := &walled{all[unit:][:n:n]}
	w.protect(t, syscall.PROT_READ|syscall.PROT_WRITE)
	return w
}

func (w *walled) protect(t testing.TB, prot int) {
	t.Helper()
	if err := syscall.Mprotect(w.mem, prot); err != nil {
		t.Fatal(err)
	}
}

// at returns n bytes behind the first wall, or before the last one.
func (w *walled) at(last bool, n int) []byte {
	if last {
		return w.mem[len(w.mem)-n:]
	}
	return w.mem[:n:n]
}

// faults runs f and makes an error of a fault in it.
func faults(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v\n%s", r, debug.Stack())
		}
	}()
	return f()
}

// TestWalled proves that the walls stand at the very ends.
func TestWalled(t *testing.T) {
	const n = 100
	w := newWalled(t, n)
	for _, last := range []bool{false, true} {
		b := w.at(last, n)
		for i := -1; i <= n-7; i++ {
			outside := i < 0 && !last || i > n-8 && last
			if !outside && (i < 0 || i > n-8) {
				continue // the other end, where there is room
			}
			var x uint64
			read := faults(func() error { x = load64(b, i); return nil })
			write := faults(func() error { store64(b, i, x); return nil })
			if outside != (read != nil) || outside != (write != nil) {
				t.Errorf("8 of %d bytes at %d, at the end of memory %t: read %v, write %v", n, i, last, read, write)
			}
		}
	}
	w.protect(t, syscall.PROT_READ)
	if faults(func() error { store8(w.mem, 0, 0); return nil }) == nil {
		t.Error("no fault when memory is written that may only be read")
	}
}
