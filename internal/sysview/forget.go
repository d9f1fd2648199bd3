package sysview

import (
	"bufio"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"

	"golang.org/x/sys/unix"
)

// ForgetOthers drops from this mount namespace, a copy of another one, the uzram mounts but for that on dir, and the file
// systems on their devices, where their unmounting in the other one would not be seen here: the copies would keep them
// alive.
func ForgetOthers(dir string) error {
	all, err := mountinfo.All()
	if err != nil {
		return err
	}
	followed, err := followed()
	if err != nil {
		return err
	}
	forget := map[string]bool{} // sources of mounts
	var errs []error
	for _, m := range all {
		if m.Type != mountinfo.Type || m.Point == dir || strings.HasPrefix(m.Point, "/sys/") {
			continue
		}
		loops, err := loopdev.FindInside(m.Point)
		errs = append(errs, err)
		for _, l := range loops {
			forget[l.Loop] = true
		}
	}
	for _, m := range slices.Backward(all) {
		other := m.Type == mountinfo.Type && m.Point != dir && !strings.HasPrefix(m.Point, "/sys/")
		if (other || forget[m.Source]) && !followed[m.Parent] {
			err := unix.Unmount(m.Point, unix.MNT_DETACH)
			if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) { // went with another one
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}

// followed tells which mounts receive what happens in another namespace, by their numbers.
func followed() (map[int]bool, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids := map[int]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		head, _, _ := strings.Cut(lines.Text(), " - ")
		if !strings.Contains(head, " master:") {
			continue
		}
		number, _, _ := strings.Cut(head, " ")
		if id, err := strconv.Atoi(number); err == nil {
			ids[id] = true
		}
	}
	return ids, lines.Err()
}
