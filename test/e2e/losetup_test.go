package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestLosetup: a user attaches the image himself, as he knows it from other images and with no flags that would help.
func TestLosetup(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"plain", nil},
		{"as recommended", []string{"--direct-io=on", "--sector-size", "4096"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dev := harness.Mount(t, harness.Options{Disksize: "128M"})
			args := append([]string{"losetup", "--find", "--show"}, tt.args...)
			dev.OwnLoop = strings.TrimSpace(harness.Run(t, append(args, dev.Image)...))
			harness.Undo(t, "loop", dev.OwnLoop)

			harness.Run(t, "mkfs.ext4", "-q", dev.OwnLoop)
			dir := harness.MountFS(t, dev.OwnLoop)
			data := mixed(24*mib, newSeed(t))
			if err := os.WriteFile(filepath.Join(dir, "data"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			dev.DropCaches()
			got, err := os.ReadFile(filepath.Join(dir, "data"))
			if err != nil {
				t.Fatal(err)
			}
			expectBytes(t, "file", got, data)
			uncached(t, dev)

			refuse(t, dev, "reset", "1", unix.EBUSY)
			harness.Run(t, "umount", dir)
			harness.Run(t, "fsck.ext4", "-fn", dev.OwnLoop)
			refuse(t, dev, "reset", "1", unix.EBUSY) // the loop device alone holds the image
			res := harness.Uzram(t, "umount", dev.Dir)
			if res.Code != 4 || !strings.Contains(res.Stderr, dev.OwnLoop) {
				t.Errorf("umount with %s attached: status %d, %q; want 4 and its name", dev.OwnLoop, res.Code, res.Stderr)
			}
			harness.Run(t, "losetup", "-d", dev.OwnLoop)
			dev.Set("reset", "1")
		})
	}
}

// TestLosetup_NotCached: whoever reads or writes the image, and however, the kernel keeps none of it: it would be held
// twice, and the second time uncompressed.
func TestLosetup_NotCached(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "32M", Loop: true})
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(16*mib, newSeed(t)), 0)
	uncached(t, dev)
	harness.Run(t, "cmp", "-n", "16777216", dev.Image, dev.Loop)
	uncached(t, dev)
}

// uncached fails if a plain read of the image's first 16 MiB is not answered by the daemon in full.
func uncached(t *testing.T, dev *harness.Dev) {
	t.Helper()
	const n = 16 * mib
	fd := open(t, dev.Image, unix.O_RDONLY)
	defer shut(t, fd)
	before := dev.Numbers("stat")[2]
	pread(t, fd, int(n), 0)
	if sectors := dev.Numbers("stat")[2] - before; sectors != n/512 {
		t.Errorf("a read of %d sectors cost the daemon %d: the rest is in the page cache", n/512, sectors)
	}
}
