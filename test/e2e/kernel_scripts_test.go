package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"
	"uzram/test/internal/zramdev"

	"golang.org/x/sys/unix"
)

// TestPostScripts_Kernel: the same scripts on a device of the kernel's. They do what that kernel was built for, and say
// which attribute is missing where it was not.
func TestPostScripts_Kernel(t *testing.T) {
	dev, err := zramdev.Add()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dev.Remove(); err != nil {
			t.Error(err)
		}
	})
	names, err := dev.Algorithms()
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.Fresh(names[0], 8*mib); err != nil {
		t.Fatal(err)
	}
	data := mixed(mib, newSeed(t))
	fd := open(t, dev.Path(), unix.O_RDWR)
	pwrite(t, fd, data, 0)
	if err := unix.Fsync(fd); err != nil {
		t.Fatal(err)
	}
	shut(t, fd)

	for _, c := range []struct {
		script string
		args   []string // before the directory
		after  []string
		needs  []string // attributes, in the order in which the script asks for them
		lacks  string   // what it says where all are there, of a device without backing device or secondary algorithm
	}{
		{"idle-mark.sh", nil, nil, []string{"idle"}, ""},
		{"writeback.sh", nil, []string{"huge"}, []string{"writeback", "backing_dev", "bd_stat", "writeback_limit"}, "has no backing device"},
		{"recompress.sh", nil, nil, []string{"recompress", "recomp_algorithm"}, "has no secondary algorithm"},
		{"idle-writeback-loop.sh", []string{"-1", "-n", "-a", "0"}, nil, []string{"idle", "writeback", "bd_stat", "backing_dev"}, "has no backing device"},
	} {
		want := c.lacks
		for _, attr := range c.needs {
			if _, err := os.Stat(filepath.Join(dev.Dir(), attr)); err != nil {
				want = "has no " + attr + ": its kernel was built without that"
				break
			}
		}
		args := append([]string{script(t, c.script)}, c.args...)
		args = append(append(args, dev.Dir()), c.after...)
		code, stderr := harness.Start(t, args...).Wait(t, time.Minute)
		if want == "" && (code != 0 || stderr != "") || want != "" && (code != 1 || !strings.Contains(stderr, dev.Dir()+" "+want)) {
			t.Errorf("%s: code %d, %q; want %q", c.script, code, stderr, want)
		}
	}

	got := aligned(t, len(data))[:len(data)]
	fd = open(t, dev.Path(), unix.O_RDONLY|unix.O_DIRECT)
	defer shut(t, fd)
	if n, err := unix.Pread(fd, got, 0); n != len(got) || err != nil || string(got) != string(data) {
		t.Errorf("%d bytes, %v; what was written is not there", n, err)
	}
}
