package guard

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"uzram/internal/size"
	"uzram/internal/status"
)

// Keeper is the guard for a crash: pid holds the device when this process dies, 0 for nobody, and standby says that another
// process is ready to serve it.
func Keeper(pid int, standby bool) status.Guard {
	const name = KeeperName
	switch {
	case pid == 0:
		return status.Guard{Name: name, State: status.GuardOff, Reason: "a crash would lose the data"}
	case !standby:
		return active(name, "no standby is ready: after a crash a process has to start first")
	}
	return active(name, "a standby is ready")
}

// Systemd is the guard for a crash where systemd holds the device.
func Systemd() status.Guard {
	return active(KeeperName, "systemd keeps the data: after a crash it has to start a process first")
}

// Log is the guard that keeps the log from blocking anybody; lost counts the records dropped so far in place of waiting.
func Log(lost uint64) status.Guard {
	const name = "log"
	if lost > 0 {
		return active(name, fmt.Sprintf("%d records were lost rather than waited for", lost))
	}
	return active(name, "")
}

// cgroupRoot is where control groups are mounted.
const cgroupRoot = "/sys/fs/cgroup"

// Cgroup is the guard against control groups that make one of these processes wait for memory or a CPU: who is throttled
// cannot give memory back. A pid of 0 is left out.
func Cgroup(pids ...int) status.Guard {
	const name = "cgroup"
	for _, pid := range pids {
		if pid == 0 {
			continue
		}
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
		if err != nil {
			return status.Guard{Name: name, State: status.GuardOff, Reason: "the kernel shows no control groups"}
		}
		if limit := throttle(cgroupRoot, string(text)); limit != "" {
			return refused(name, "process %d: %s", pid, limit)
		}
	}
	return active(name, "")
}

// limits are the files of a control group that throttle, with what they hold when they do not.
var limits = []struct {
	controller string // of version 1, "" for version 2
	file       string
	free       func(text string) bool
	bytes      bool
}{
	{"", "memory.high", isMax, true},
	{"", "memory.max", isMax, true},
	{"", "cpu.max", isMax, false},
	{"memory", "memory.limit_in_bytes", isHuge, true},
	{"cpu", "cpu.cfs_quota_us", isNegative, false},
}

func isMax(text string) bool      { return strings.HasPrefix(text, "max") }
func isNegative(text string) bool { return strings.HasPrefix(text, "-") }

// isHuge: no limit is the largest multiple of a page that fits.
func isHuge(text string) bool {
	n, err := strconv.ParseUint(text, 10, 64)
	return err == nil && n >= 1<<62
}

// throttle looks for a limit on the control groups of a process, and on all above them; groups is its file in /proc.
func throttle(root, groups string) string {
	for line := range strings.Lines(groups) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) != 3 {
			continue
		}
		for _, l := range limits {
			if !hasController(f[1], l.controller) {
				continue
			}
			for group := f[2]; ; group = filepath.Dir(group) {
				text, err := os.ReadFile(filepath.Join(root, l.controller, group, l.file))
				value := strings.TrimSpace(string(text))
				if err == nil && !l.free(value) {
					return fmt.Sprintf("%s of %s is %s", l.file, group, limitText(value, l.bytes))
				}
				if group == "/" || group == "." {
					break
				}
			}
		}
	}
	return ""
}

// hasController says whether a hierarchy, named as in /proc/PID/cgroup, has a controller; "" is that of version 2.
func hasController(hierarchy, controller string) bool {
	for name := range strings.SplitSeq(hierarchy, ",") {
		if name == controller {
			return true
		}
	}
	return false
}

func limitText(value string, bytes bool) string {
	if n, err := strconv.ParseUint(value, 10, 64); err == nil && bytes {
		return size.Format(n)
	}
	return value
}
