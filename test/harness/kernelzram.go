package harness

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const zramControl = "/sys/class/zram-control"

// KernelZram makes a zram device of the kernel's for the length of the test.
func KernelZram(t testing.TB) (number int) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(zramControl, "hot_add"))
	if err != nil {
		t.Fatal(err)
	}
	if number, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
		t.Fatal(err)
	}
	Undo(t, "zram", strconv.Itoa(number))
	return number
}

// removeZram removes a zram device of the kernel's, with its data. Who looks through all block devices may have it open for
// a moment.
func removeZram(number string) error {
	if err := swapOff("/dev/zram" + number); err != nil {
		return err
	}
	for end := time.Now().Add(undoTimeout); ; time.Sleep(5 * time.Millisecond) {
		err := os.WriteFile(filepath.Join(zramControl, "hot_remove"), []byte(number), 0)
		switch {
		case errors.Is(err, unix.ENODEV):
			return nil
		case !errors.Is(err, unix.EBUSY) || time.Now().After(end):
			return err
		}
	}
}
