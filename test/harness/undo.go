package harness

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

const undoTimeout = 20 * time.Second

// forceUnmount unmounts what is on dir, loop devices attached to files in it first. If it is busy or does not answer, it
// aborts a FUSE connection and detaches.
func forceUnmount(dir string) error {
	for mountedOn(dir) {
		for _, loop := range loopsBelow(dir) {
			if err := detachLoop(loop); err != nil {
				return err
			}
		}
		err := runFor(undoTimeout, "umount", "-i", dir)
		if err == nil {
			continue
		}
		return errors.Join(fmt.Errorf("umount %s: %w", dir, err), abortFUSE(dir), unix.Unmount(dir, unix.MNT_DETACH))
	}
	return nil
}

func mountedOn(dir string) bool { return len(mountsOn(dir)) > 0 }

// mountsOn returns the mounts on dir itself, first the lowest.
func mountsOn(dir string) (found []mountinfo.Mount) {
	all, _ := mountinfo.All()
	for _, m := range all {
		if m.Point == dir {
			found = append(found, m)
		}
	}
	return found
}

// mountsBelow returns the mounts on dir and in all below it.
func mountsBelow(dir string) (found []mountinfo.Mount) {
	all, _ := mountinfo.All()
	for _, m := range all {
		if m.Point == dir || strings.HasPrefix(m.Point, dir+"/") {
			found = append(found, m)
		}
	}
	return found
}

// abortFUSE ends the connections of the FUSE mounts on dir: all requests fail at once, those waiting included. It uses a
// private instance of the control file system, for that may not be mounted.
func abortFUSE(dir string) error {
	var minors []uint32
	for _, m := range mountsOn(dir) {
		if strings.HasPrefix(m.Type, "fuse") {
			minors = append(minors, unix.Minor(m.Dev))
		}
	}
	if len(minors) == 0 {
		return nil
	}
	ctl, err := os.MkdirTemp(run.root, "fusectl-")
	if err != nil {
		return err
	}
	defer os.Remove(ctl)
	if err := unix.Mount("fusectl", ctl, "fusectl", 0, ""); err != nil {
		return fmt.Errorf("mount fusectl: %w", err)
	}
	defer unix.Unmount(ctl, unix.MNT_DETACH)
	for _, minor := range minors {
		err = errors.Join(err, os.WriteFile(filepath.Join(ctl, strconv.Itoa(int(minor)), "abort"), []byte("1"), 0))
	}
	return err
}

// loopsBelow returns the loop devices attached to files below dir.
func loopsBelow(dir string) (found []string) {
	paths, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, path := range paths {
		text, _ := os.ReadFile(path)
		if strings.HasPrefix(string(text), dir+"/") {
			found = append(found, "/dev/"+strings.Split(path, "/")[3])
		}
	}
	return found
}

func swapOff(dev string) error {
	if _, ok := Swaps()[dev]; !ok {
		return nil
	}
	return runFor(2*time.Minute, "swapoff", dev)
}

// detachLoop detaches a loop device if it is still one of this run.
func detachLoop(dev string) error {
	if !ownLoop(dev) {
		return nil
	}
	return runFor(undoTimeout, "losetup", "-d", dev)
}

// ownLoop says whether a loop device has a file of this run behind it. The kernel gives the name of a file whose mount is
// gone without the mount point.
func ownLoop(dev string) bool {
	text, err := os.ReadFile(filepath.Join("/sys/block", filepath.Base(dev), "loop/backing_file"))
	if err != nil {
		return false
	}
	name := strings.TrimSpace(string(text))
	return strings.HasPrefix(name, run.root+"/") || name == "/image"
}

// removeCgroup kills what runs in a control group and removes it.
func removeCgroup(dir string) error {
	deadline := time.Now().Add(undoTimeout)
	for {
		text, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		for _, f := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(f); err == nil {
				unix.Kill(pid, unix.SIGKILL)
				waitGone(pid, time.Until(deadline))
			}
		}
		err = unix.Rmdir(dir)
		if err == nil || err == unix.ENOENT {
			return nil
		}
		// EBUSY until the last process of it has been reaped, which nothing tells of.
		if time.Now().After(deadline) {
			return fmt.Errorf("rmdir %s: %w", dir, err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// killProcess kills the process named as processName gives it.
func killProcess(name string) error {
	pid, err := strconv.Atoi(strings.Split(name, "@")[0])
	if err != nil {
		return err
	}
	if processName(pid) != name {
		return nil
	}
	if err := unix.Kill(pid, unix.SIGKILL); err != nil && err != unix.ESRCH {
		return err
	}
	if !waitGone(pid, undoTimeout) {
		return fmt.Errorf("process %d does not die", pid)
	}
	return nil
}

// runFor runs a command with a time limit and returns its complaint as the error.
func runFor(limit time.Duration, name string, args ...string) error {
	res := (&Cmd{Args: append([]string{name}, args...), Timeout: limit}).run()
	if res.Err != nil {
		return fmt.Errorf("%w: %s", res.Err, strings.TrimSpace(res.Stderr))
	}
	return nil
}
