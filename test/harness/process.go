package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// processName names a process so that another one with the same number is told from it: number and start time.
// "" if there is no such process.
func processName(pid int) string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	// The second field is the command in parentheses and may hold anything; the 22nd is the start time.
	_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')'):]), " ")
	f := strings.Fields(rest)
	if len(f) < 20 {
		return ""
	}
	return fmt.Sprintf("%d@%s", pid, f[19])
}

// kernelStacks says where in the kernel the threads of a process are.
func kernelStacks(pid int) string {
	tasks, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task/*"))
	var all strings.Builder
	for _, task := range tasks {
		call, _ := os.ReadFile(filepath.Join(task, "syscall"))
		stack, _ := os.ReadFile(filepath.Join(task, "stack"))
		fmt.Fprintf(&all, "%s: system call %s%s", task, call, stack)
	}
	return all.String()
}

// processesOfRun returns the processes that carry this run's token, without this one and the other side of the ledger.
func processesOfRun() (found []int) {
	token := []byte(tokenEnv + "=" + run.root + "\x00")
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || pid == os.Getppid() {
			continue
		}
		env, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if bytes.Contains(append(env, 0), token) && !bytes.Contains(env, []byte(roleEnv+"=reaper")) {
			found = append(found, pid)
		}
	}
	return found
}

// Swap is a line of /proc/swaps.
type Swap struct {
	SizeKiB, UsedKiB, Priority int
}

// Swaps returns the swap spaces in use by device.
func Swaps() map[string]Swap {
	text, _ := os.ReadFile("/proc/swaps")
	swaps := map[string]Swap{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) != 5 || f[0] == "Filename" {
			continue
		}
		var n [3]int
		for i := range n {
			n[i], _ = strconv.Atoi(f[2+i])
		}
		swaps[f[0]] = Swap{n[0], n[1], n[2]}
	}
	return swaps
}

// Processes returns the processes that this run has started and that still run.
func Processes() []int { return processesOfRun() }

// Loops returns the loop devices attached to files of this run.
func Loops() []string { return loopsBelow(run.root) }
