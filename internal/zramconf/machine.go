package zramconf

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// totalMiB returns the machine's memory, in whole MiB, from proc/meminfo below root.
func totalMiB(root string) (uint64, error) {
	path := filepath.Join(root, "/proc/meminfo")
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) < 2 || f[0] != "MemTotal:" {
			continue
		}
		if kib, err := strconv.ParseUint(f[1], 10, 64); err == nil {
			return kib / 1024, nil
		}
		break
	}
	return 0, fmt.Errorf("%s does not tell the size of memory", path)
}

// kernelOption is the word of the kernel's command line that switches the devices off, or one with the defaults on.
const kernelOption = "systemd.zram"

// askedByKernel returns what the kernel's command line says: the last word of the option counts. given is false where it
// says nothing.
func askedByKernel(root string) (on, given bool) {
	text, err := os.ReadFile(filepath.Join(root, "/proc/cmdline"))
	if err != nil {
		return false, false
	}
	for _, word := range slices.Backward(strings.Fields(string(text))) {
		value, ok := strings.CutPrefix(word, kernelOption)
		if !ok {
			continue
		}
		switch value {
		case "", "=1", "=yes", "=true", "=on":
			return true, true
		case "=0", "=no", "=false", "=off":
			return false, true
		}
	}
	return false, false
}
