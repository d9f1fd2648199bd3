package sysview

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// Undo takes down what a view whose process was killed has left behind in this mount namespace, and says whether there was
// anything.
func Undo() (found bool, err error) {
	unlock, err := lockSystem()
	if err != nil {
		return false, err
	}
	defer unlock()
	if dir, ok := systemViewOf(); ok {
		return false, fmt.Errorf("the view for the whole machine is that of %[1]s: uzram sysfs --undo --dir %[1]s", dir)
	}
	all, err := mountinfo.All()
	if err != nil {
		return false, err
	}
	var errs []error
	for _, m := range slices.Backward(all) {
		if !ofView(m) {
			continue
		}
		found = true
		_, err := unmountOurs(m.Point, ofView)
		errs = append(errs, err)
	}
	for _, path := range leftovers() {
		found = true
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	removeDirs("")
	return found, errors.Join(errs...)
}

// ofView says whether a view made a mount; nobody else mounts on zram-control.
func ofView(m mountinfo.Mount) bool {
	return m.Source == source || m.Point == filepath.Join("/sys", zramControl)
}

// systemViewOf finds the mount whose view for the whole machine is served.
func systemViewOf() (dir string, ok bool) {
	sockets, _ := filepath.Glob(filepath.Join(runDir, "*", systemSocket))
	for _, socket := range sockets {
		if listening(socket) {
			return dirOf(filepath.Dir(socket)), true
		}
	}
	return "", false
}

// lockSystem keeps others from making or undoing a view for the whole machine.
func lockSystem() (unlock func(), err error) {
	if err := os.MkdirAll(runDir, 0o755); err != nil {
		return nil, err
	}
	fd, err := unix.Open(runDir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: runDir, Err: err}
	}
	for {
		if err = unix.Flock(fd, unix.LOCK_EX); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "lock", Path: runDir, Err: err}
	}
	return func() { unix.Close(fd) }, nil
}

// leftovers lists the files of a view of the whole machine: its socket, nodes, records, and what modprobe reads.
func leftovers() []string {
	list, _ := filepath.Glob(filepath.Join(runDir, "*", systemSocket))
	nodes, _ := filepath.Glob("/dev/zram[0-9]*")
	for _, node := range nodes {
		const loopMajor = 7
		var st unix.Stat_t
		if unix.Lstat(node, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFBLK && unix.Major(uint64(st.Rdev)) == loopMajor {
			list = append(list, node)
		}
	}
	records, _ := filepath.Glob("/run/udev/data/b7:*")
	for _, record := range records {
		if text, err := os.ReadFile(record); err == nil && strings.Contains(string(text), recordMark) {
			list = append(list, record)
		}
	}
	conf := filepath.Join("/run/modprobe.d", modprobeFile)
	if _, err := os.Lstat(conf); err == nil {
		list = append(list, conf)
	}
	return list
}
