package fusermount

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRun_Fails(t *testing.T) {
	dir := t.TempDir()
	if err := Run(-1, "-u", "--", dir); !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "not ") {
		t.Errorf("unmount of nothing: %v, want the program's words", err)
	}
	if err := Unmount(dir, Cleanly); err != unix.EINVAL && !errors.Is(err, unix.EPERM) {
		t.Errorf("unmount of nothing: %v", err)
	}
	t.Setenv("PATH", dir)
	if err := Run(-1, "-u"); !errors.Is(err, ErrMissing) || !errors.Is(err, unix.ENOENT) {
		t.Errorf("no program: %v, want ErrMissing", err)
	}
}
