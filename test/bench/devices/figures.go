package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"uzram/internal/loopdev"
	"uzram/internal/status"
)

// figures are what the processes of a mount take. Sizes are in KiB.
type figures struct {
	heap       uint64 // the worker's memory that is its own
	shared     uint64 // the worker's arenas, which the others have too
	standby    uint64 // all that is the standby's own
	keeper     uint64
	files      int // the worker's descriptors
	kept       int // the keeper's
	threads    int // the worker's
	goroutines int
	loops      int
}

var figureHead = []string{"", "worker's own KiB", "arenas KiB", "standby KiB", "keeper KiB", "worker's files", "keeper's files", "threads", "goroutines", "loops"}

func (f figures) cells() (cells []string) {
	for _, n := range []uint64{f.heap, f.shared, f.standby, f.keeper} {
		cells = append(cells, strconv.FormatUint(n, 10))
	}
	for _, n := range []int{f.files, f.kept, f.threads, f.goroutines, f.loops} {
		cells = append(cells, strconv.Itoa(n))
	}
	return cells
}

// figures looks at the processes.
func (m *mount) figures() (f figures, err error) {
	st, err := m.status()
	if err != nil {
		return f, err
	}
	if st.KeeperPID == nil {
		return f, fmt.Errorf("%s has no keeper", m.dir)
	}
	worker, err := memory(st.WorkerPID)
	if err != nil {
		return f, err
	}
	keeper, err := memory(*st.KeeperPID)
	if err != nil {
		return f, err
	}
	f.heap, f.shared, f.keeper = worker["RssAnon"], worker["RssShmem"], keeper["RssAnon"]
	f.threads, f.goroutines = int(worker["Threads"]), st.Runtime.Goroutines
	for _, pid := range children(*st.KeeperPID) {
		if pid != st.WorkerPID {
			if other, err := memory(pid); err == nil {
				f.standby += other["RssAnon"]
			}
		}
	}
	f.files, f.kept = descriptors(st.WorkerPID), descriptors(*st.KeeperPID)
	loops, err := loopdev.FindInside(m.dir)
	f.loops = len(loops)
	return f, err
}

func (m *mount) status() (st status.Status, err error) {
	text, err := os.ReadFile(filepath.Join(m.dir, "debug", "status"))
	if err == nil {
		err = json.Unmarshal(text, &st)
	}
	return st, err
}

// memory is what /proc says of a process in numbers.
func memory(pid int) (map[string]uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return nil, err
	}
	numbers := map[string]uint64{}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		if f := strings.Fields(rest); len(f) > 0 {
			if n, err := strconv.ParseUint(f[0], 10, 64); err == nil {
				numbers[name] = n
			}
		}
	}
	return numbers, nil
}

func children(pid int) (pids []int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	for f := range strings.FieldsSeq(string(text)) {
		if n, err := strconv.Atoi(f); err == nil {
			pids = append(pids, n)
		}
	}
	return pids
}

func descriptors(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries)
}
