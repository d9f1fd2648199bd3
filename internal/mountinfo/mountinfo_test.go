package mountinfo

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const table = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
40 27 0:45 / /mnt/a rw,nosuid,nodev,relatime shared:5 master:1 - fuse.uzram uzram rw,user_id=0,group_id=0
41 27 0:46 / /mnt/with\040space\011tab\134back\043hash rw - fuse.uzram uzram rw
42 27 0:47 / /mnt/b rw - fuse.uzram uzram rw
43 42 0:48 / /mnt/b rw - tmpfs  rw
44 27 0:49 / /mnt/c rw - tmpfs tmpfs rw
45 44 0:50 / /mnt/c rw - fuse.uzram uzram rw
46 40 7:1 / /mnt/a/sub rw - ext4 /dev/loop1 rw
47 27 1048575:300000 / /big rw - ext4 /dev/x\040y rw
`

func TestParse(t *testing.T) {
	mounts, err := parse(strings.NewReader(table))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []Mount{
		{40, 27, unix.Mkdev(0, 45), "/mnt/a", "rw,nosuid,nodev,relatime", Type, Source, "rw,user_id=0,group_id=0"},
		{41, 27, unix.Mkdev(0, 46), "/mnt/with space\ttab\\back#hash", "rw", Type, Source, "rw"},
		{43, 42, unix.Mkdev(0, 48), "/mnt/b", "rw", "tmpfs", "", "rw"},
		{47, 27, unix.Mkdev(1048575, 300000), "/big", "rw", "ext4", "/dev/x y", "rw"},
	} {
		if !slices.Contains(mounts, want) {
			t.Errorf("%+v is not in %+v", want, mounts)
		}
	}
	for dir, id := range map[string]int{"/mnt/a": 40, "/mnt/b": 43, "/mnt/c": 45, "/": 27} {
		if m, ok := topmost(mounts, dir); !ok || m.ID != id {
			t.Errorf("topmost(%s) = %d, %v; want %d", dir, m.ID, ok, id)
		}
	}
	if m, ok := topmost(mounts, "/mnt"); ok {
		t.Errorf("topmost(/mnt) = %+v, want none", m)
	}
}

// TestAt: a path leads to the mount that holds it.
func TestAt(t *testing.T) {
	if m, err := At("/proc/self/status"); err != nil || m.Point != "/proc" || m.Type != "proc" {
		t.Errorf("At: %+v, %v", m, err)
	}
	if _, err := At("/proc/none"); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("At what is not there: %v", err)
	}
}

func TestParse_Malformed(t *testing.T) {
	for _, line := range []string{
		"x", "22 27 0:21 / /proc rw", "22 27 0:21 / - proc proc rw", "x 27 0:21 / /proc rw - proc proc rw",
		"22 27 021 / /proc rw - proc proc rw", "22 27 0:x / /proc rw - proc proc rw", "22 27 0:21 / /proc rw - ",
	} {
		if m, err := parse(strings.NewReader(line)); err == nil {
			t.Errorf("parse(%q) = %+v, want an error", line, m)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`/plain`: "/plain", `/a\040b`: "/a b", `\134`: `\`, `\`: `\`, `a\04`: `a\04`, `\999`: `\999`, `\400`: `\400`,
		`\303\251`: "\u00e9", `\134040`: `\040`,
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFind_NotMounted(t *testing.T) {
	for _, dir := range []string{"/proc", "/", "/nowhere"} {
		if m, err := Find(dir); !errors.Is(err, ErrNotMounted) {
			t.Errorf("Find(%s) = %+v, %v; want ErrNotMounted", dir, m, err)
		}
	}
}

func TestBusyError(t *testing.T) {
	for _, c := range []struct {
		e    BusyError
		want string
	}{
		{BusyError{Dir: "/d", Holders: []string{"a", "b"}}, "/d is in use: a; b"},
		{BusyError{Dir: "/d"}, "/d is in use by something that /proc does not show"},
	} {
		if c.e.Error() != c.want || !errors.Is(&c.e, syscall.EBUSY) {
			t.Errorf("%q, want %q and EBUSY", c.e.Error(), c.want)
		}
	}
}
