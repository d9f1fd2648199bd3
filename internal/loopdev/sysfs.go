package loopdev

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Number is the device's number, 0 if there is no such device.
func (d *Device) Number() uint64 {
	var st unix.Stat_t
	if unix.Stat(d.path, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return 0
	}
	return uint64(st.Rdev)
}

// Attr reads a file of the device's directory in sysfs, without its last newline.
func (d *Device) Attr(name string) (string, error) {
	text, err := os.ReadFile(d.sysfs(name))
	return strings.TrimSuffix(string(text), "\n"), err
}

// SetAttr writes to a file of the device's directory in sysfs.
func (d *Device) SetAttr(name, text string) error {
	fd, err := unix.Open(d.sysfs(name), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", name, d.path, err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(text)); err != nil {
		return fmt.Errorf("%s of %s: %w", name, d.path, err)
	}
	return nil
}

// Shown is a file that this kernel shows for loop devices.
type Shown struct {
	Mode uint32 // permission bits
	Text string // of one of them, without the last newline
}

// ShownFor returns what this kernel shows in a directory of loop devices in sysfs,
// "." being their own; nil if there is no loop device.
func ShownFor(dir string) map[string]Shown {
	dirs, _ := filepath.Glob(filepath.Join(sysBlock, "loop*", dir))
	if len(dirs) == 0 {
		return nil
	}
	entries, err := os.ReadDir(dirs[0])
	if err != nil {
		return nil
	}
	all := map[string]Shown{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, _ := os.ReadFile(filepath.Join(dirs[0], e.Name())) // some cannot be read
		all[e.Name()] = Shown{Mode: uint32(info.Mode().Perm()), Text: strings.TrimSuffix(string(text), "\n")}
	}
	return all
}
