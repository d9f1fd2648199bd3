//go:build !race

package offheap

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Locked memory is locked by a process. When that one dies, until its successor has
// touched each page, the kernel may swap pages out, and the swap space may be the
// disk that they hold: then whoever has to serve the write waits for it. So where it
// can be had the memory is that of a file system which the kernel never swaps out
// (tmpfs with noswap, Linux 6.4), mounted nowhere.

// unswappable is that file system, made once for a process.
var unswappable = sync.OnceValues(func() (int, error) {
	fs, err := unix.Fsopen("tmpfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(fs)
	if err := unix.FsconfigSetFlag(fs, "noswap"); err != nil {
		return -1, err
	}
	for _, unlimited := range []string{"size", "nr_inodes"} {
		if err := unix.FsconfigSetString(fs, unlimited, "0"); err != nil {
			return -1, err
		}
	}
	if err := unix.FsconfigSetString(fs, "mode", "0700"); err != nil {
		return -1, err
	}
	if err := unix.FsconfigCreate(fs); err != nil {
		return -1, err
	}
	return unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
})

// Unswappable returns nil if the arenas of this process are never swapped out, locked
// or not. EPERM: it needs CAP_SYS_ADMIN; EINVAL: Linux 6.4.
func Unswappable() error {
	_, err := unswappable()
	return err
}

var noswapMu sync.Mutex // held while a name is in use

// noswapFile is a file of that file system, without a name. It is shown as a memfd of
// that name would be, and cannot be sealed.
func noswapFile(name string, size int64) (int, error) {
	dir, err := unswappable()
	if err != nil {
		return -1, err
	}
	noswapMu.Lock()
	defer noswapMu.Unlock()
	name = "memfd:" + name
	fd, err := unix.Openat(dir, name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return -1, err
	}
	err = unix.Unlinkat(dir, name, 0)
	if err == nil {
		err = unix.Ftruncate(fd, size)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// isNoswapFile tells what noswapFile made from other files: it is memory, has no name,
// and takes no seals.
func isNoswapFile(fd int, st *unix.Stat_t, seals int) bool {
	var fs unix.Statfs_t
	return seals == unix.F_SEAL_SEAL && st.Nlink == 0 && unix.Fstatfs(fd, &fs) == nil && fs.Type == unix.TMPFS_MAGIC
}
