package sysview

import (
	"errors"
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
	all, err := mountinfo.All()
	if err != nil {
		return false, err
	}
	var errs []error
	for _, m := range slices.Backward(all) {
		if m.Source != source && m.Point != filepath.Join("/sys", zramControl) {
			continue
		}
		found = true
		// What was mounted in another one has gone with it.
		if err := unix.Unmount(m.Point, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
			errs = append(errs, &os.PathError{Op: "unmount", Path: m.Point, Err: err})
		}
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

// leftovers lists the files of a view of the whole machine: nodes, records, and what modprobe reads.
func leftovers() []string {
	var list []string
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
