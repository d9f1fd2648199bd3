package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

func itoa(n int) string { return strconv.Itoa(n) }

// neededCaps: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_IPC_LOCK, CAP_SYS_PTRACE, CAP_SYS_ADMIN.
const neededCaps = 1<<1 | 1<<2 | 1<<14 | 1<<19 | 1<<21

// startCaps are what the keeper has for those that it starts: CAP_SETPCAP, CAP_SYS_RESOURCE.
const startCaps = 1<<8 | 1<<24

// processField is a line of /proc/PID/task/TID/status.
func processField(t *testing.T, path, name string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("%s has no %s", path, name)
	return ""
}

// TestConfined: every thread of the process that serves has given up what it does not need, and cannot get it back; nothing
// of the disk gets into a core dump; and all that it has to do later still works.
func TestConfined(t *testing.T) {
	file := filepath.Join(harness.Dir(t), "other's")
	dev := harness.Mount(t, harness.Options{Loop: true})
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", dev.PID))
	if err != nil || len(tasks) < 2 {
		t.Fatalf("threads %v, %v", tasks, err)
	}
	for _, task := range tasks {
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			n, err := strconv.ParseUint(processField(t, task, set), 16, 64)
			if err != nil || n&^neededCaps != 0 {
				t.Errorf("%s: %s %#x, want none but %#x (%v)", task, set, n, neededCaps, err)
			}
		}
		if v := processField(t, task, "NoNewPrivs"); v != "1" {
			t.Errorf("%s: NoNewPrivs %s", task, v)
		}
	}
	keeper := *dev.Status().KeeperPID
	tasks, err = filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", keeper))
	if err != nil || len(tasks) == 0 {
		t.Fatalf("threads of the keeper %v, %v", tasks, err)
	}
	for _, task := range tasks {
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			n, err := strconv.ParseUint(processField(t, task, set), 16, 64)
			if err != nil || n&^(neededCaps|startCaps) != 0 {
				t.Errorf("%s of the keeper: %s %#x, want none but %#x (%v)", task, set, n, neededCaps|startCaps, err)
			}
		}
		if v := processField(t, task, "NoNewPrivs"); v != "1" {
			t.Errorf("%s of the keeper: NoNewPrivs %s", task, v)
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", dev.PID))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(limits)) {
		if f, ok := strings.CutPrefix(line, "Max core file size"); ok && strings.Join(strings.Fields(f), " ") != "0 0 bytes" {
			t.Errorf("%s", line)
		}
	}

	// A backing device that another user owns, loop device and size, and the unmount.
	if err := os.WriteFile(file, make([]byte, mib), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(file, nobodyUID, nobodyGID); err != nil {
		t.Fatal(err)
	}
	dev.Set("backing_dev", file)
	dev.Set("disksize", "16M")
	if n := deviceSize(t, dev.Loop); n != 16*mib {
		t.Errorf("the loop device has %d bytes", n)
	}
	dev.Set("reset", "1")
	if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !dev.WaitUnmounted(patience) || !harness.WaitGone(dev.PID, patience) || !detached(dev) {
		t.Errorf("after SIGTERM: mounted %v, detached %v", dev.Mounted(), detached(dev))
	}
}

// TestConfined_Dumps: no mapping with pages of the disk, nor with what they are decoded to, is one that a core dump has.
func TestConfined_Dumps(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "16M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	pwrite(t, fd, mixed(4*mib, newSeed(t)), 0)
	shut(t, fd)
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", dev.PID))
	if err != nil {
		t.Fatal(err)
	}
	mapping, seen := "", 0
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "/memfd:") {
			mapping = strings.TrimSpace(line)
		}
		flags, ok := strings.CutPrefix(line, "VmFlags:")
		if ok && mapping != "" {
			seen++
			if !strings.Contains(" "+flags, " dd ") {
				t.Errorf("%s: flags %s, want dd: not in dumps", mapping, strings.TrimSpace(flags))
			}
			mapping = ""
		}
	}
	if seen < 3 {
		t.Errorf("only %d mappings of memory of the disk", seen)
	}
}

// TestModes: the control files have the kernel's modes, and nobody but the owner gets in.
func TestModes(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "1M"})
	for name, mode := range map[string]os.FileMode{
		"reset": 0o200, "compact": 0o200, "recompress": 0o200, "writeback": 0o200, "idle": 0o200, "mem_limit": 0o200,
		"mem_used_max": 0o200, "algorithm_params": 0o200, "mm_stat": 0o444, "io_stat": 0o444, "bd_stat": 0o444,
		"disksize": 0o644, "comp_algorithm": 0o644, "recomp_algorithm": 0o644, "backing_dev": 0o644,
		"writeback_limit": 0o644, "writeback_limit_enable": 0o644, "initstate": 0o444, "image": 0o600,
		"debug/block_state": 0o400, "debug/page_state": 0o400, "debug/control": 0o200, "debug/status": 0o444,
		"debug/snapshot": 0o400, "debug/restore": 0o200,
	} {
		st, err := os.Lstat(dev.Path(name))
		if err != nil || st.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want %v", name, st, err, mode)
		}
	}
	res := harness.Try(t, "setpriv", "--reuid", itoa(nobodyUID), "--regid", itoa(nobodyGID), "--clear-groups", "--",
		"cat", dev.Path("debug/status"))
	if res.Err == nil || !strings.Contains(res.Stderr, "Permission denied") {
		t.Errorf("another user reads the status: %v, %q", res.Err, res.Stdout)
	}
}
