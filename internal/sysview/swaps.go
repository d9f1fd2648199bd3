package sysview

import (
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

const swapsFile = "/proc/swaps"

// Swaps lists the devices of the mount that are swapped on under their name in this view.
func (v *View) Swaps() (names []string) {
	text, err := os.ReadFile(swapsFile)
	if err != nil { // a kernel without swap
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for line := range strings.Lines(string(text)) {
		dev, _, _ := strings.Cut(line, " ")
		if _, ours := v.devices[path.Base(dev)]; ours && path.Dir(dev) == v.path("dev") && v.onNode(path.Base(dev), dev) {
			names = append(names, path.Base(dev))
		}
	}
	return names
}

// onNode says whether a path is the node of a device.
func (v *View) onNode(name, path string) bool {
	var st unix.Stat_t
	d := v.devices[name]
	return unix.Stat(path, &st) == nil && uint64(st.Rdev) == unix.Mkdev(d.Major, d.Minor)
}

// WaitSwaps returns when there are none any more.
func (v *View) WaitSwaps() error {
	fd, err := unix.Open(swapsFile, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	changed := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}}
	for len(v.Swaps()) > 0 {
		// The kernel tells of each change once; a minute is for what it might not tell.
		if _, err := unix.Poll(changed, 60_000); err != nil && err != unix.EINTR {
			return err
		}
	}
	return nil
}
