package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// leftovers returns a complaint for each thing of this run that is still there.
func leftovers() (found []error) {
	for _, m := range mountsBelow(run.root) {
		found = append(found, fmt.Errorf("%s is mounted on %s", m.Type, m.Point))
	}
	for _, dev := range Loops() {
		found = append(found, fmt.Errorf("%s is attached to a file of this run", dev))
	}
	for dev := range Swaps() {
		if ownLoop(dev) {
			found = append(found, fmt.Errorf("swap on %s", dev))
		}
	}
	groups, _ := filepath.Glob(filepath.Join(MemoryCgroup, filepath.Base(run.root)+"*"))
	for _, g := range groups {
		found = append(found, fmt.Errorf("control group %s", g))
	}
	for _, pid := range processesOfRun() {
		cmdline, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
		found = append(found, fmt.Errorf("process %d: %s", pid, bytes.ReplaceAll(cmdline, []byte{0}, []byte{' '})))
	}
	return found
}

// descriptors counts this process's open descriptors by what they refer to. Those of the Go runtime do not count.
func descriptors() map[string]int {
	open := map[string]int{}
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name()))
		if err == nil && !slices.Contains([]string{"anon_inode:[eventpoll]", "anon_inode:[eventfd]", "anon_inode:[pidfd]"}, to) &&
			!strings.HasPrefix(to, "/proc/") {
			open[to]++
		}
	}
	return open
}

func lostDescriptors(before map[string]int) (found []error) {
	for to, n := range descriptors() {
		if n > before[to] {
			found = append(found, fmt.Errorf("%d descriptors of %s", n-before[to], to))
		}
	}
	return found
}

// seesMount returns the processes in whose mount namespace something is mounted on dir, one for each namespace.
func seesMount(dir string) (pids []string) {
	tables, _ := filepath.Glob("/proc/[0-9]*/mountinfo")
	seen := map[string]bool{}
	for _, path := range tables {
		ns, _ := os.Readlink(filepath.Join(filepath.Dir(path), "ns/mnt"))
		text, _ := os.ReadFile(path)
		if !seen[ns] && bytes.Contains(text, []byte(" "+dir+" ")) {
			pids = append(pids, strings.Split(path, "/")[2])
			seen[ns] = true
		}
	}
	return pids
}
