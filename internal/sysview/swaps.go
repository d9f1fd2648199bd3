package sysview

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const swapsFile = "/proc/swaps"

// Swaps lists the devices of the mount that are swapped on by their node in this view.
func (v *View) Swaps() (names []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, node := range swapNodes() {
		if d, ours := v.devices[filepath.Base(node)]; ours && node == v.path("dev", d.Name) && v.swapOn(d, node) {
			names = append(names, d.Name)
		}
	}
	return names
}

// swapNodes are the names of swap space.
func swapNodes() (names []string) {
	text, err := os.ReadFile(swapsFile)
	if err != nil { // a kernel without swap
		return nil
	}
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	return names
}

// swapOn says whether the swap space of that name is on the node of that name. The node of another view is called the same,
// but follows no other name that is given to ours. If that cannot be found out the swap space is taken for ours: the name of
// one whose node is gone leads nowhere.
func (v *View) swapOn(d Device, node string) bool {
	var st unix.Stat_t
	if unix.Lstat(node, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK || uint64(st.Rdev) != unix.Mkdev(d.Major, d.Minor) {
		return false
	}
	if !v.o.CopyDev { // one /dev for all
		return true
	}
	aside := filepath.Join(filepath.Dir(node), ".uzram-"+d.Name)
	os.Remove(aside)
	if unix.Mknod(aside, st.Mode, int(st.Rdev)) != nil { // an exchange, so that the name is there all the time
		return true
	}
	defer os.Remove(aside)
	if os.Lchown(aside, int(st.Uid), int(st.Gid)) != nil || unix.Chmod(aside, st.Mode&0o7777) != nil {
		return true
	}
	if exchange(node, aside) != nil {
		return true
	}
	follows := slices.Contains(swapNodes(), aside)
	_ = exchange(node, aside) // which cannot fail now
	return follows
}

func exchange(a, b string) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
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
