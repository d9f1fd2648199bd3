//go:build !race

package offheap

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestUnswappable: root on a kernel that can has memory that is never swapped out.
func TestUnswappable(t *testing.T) {
	if err := Unswappable(); err != nil {
		if os.Getuid() == 0 || !errors.Is(err, syscall.EPERM) {
			t.Errorf("%v: needs root and Linux 6.4", err)
		}
		return
	}
	// Nobody locks it here.
	const size = 64 << 20
	before := unevictable(t)
	a, err := New(PoolData, size, HeaderSize)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if err := a.PopulateData(0, size); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); unevictable(t) < before+size*3/4; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("of %d bytes the kernel counts %d as not to be swapped out", size, unevictable(t)-before)
		}
	}
}

// unevictable is memory that the kernel never takes away, of the whole machine, in bytes.
func unevictable(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "Unevictable:")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}
