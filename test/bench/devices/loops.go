package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// loopNumbers are those of the loop devices that the kernel has, attached or not.
func loopNumbers() (map[int]bool, error) {
	names, err := filepath.Glob("/sys/block/loop*")
	all := map[int]bool{}
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(name), "loop")); err == nil {
			all[n] = true
		}
	}
	return all, err
}

// removeLoops removes the loop devices that the kernel has made for us, which it
// keeps when they are detached. One that somebody else has attached stays.
func removeLoops(before map[int]bool) error {
	now, err := loopNumbers()
	if err != nil {
		return err
	}
	fd, err := unix.Open("/dev/loop-control", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: "/dev/loop-control", Err: err}
	}
	defer unix.Close(fd)
	for n := range now {
		if !before[n] {
			_ = unix.IoctlSetInt(fd, unix.LOOP_CTL_REMOVE, n)
		}
	}
	return nil
}
