package zramdev

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	control  = "/sys/class/zram-control"
	sysBlock = "/sys/block"

	// Whatever watches for new devices (udev and what it starts) may hold one
	// open for a moment.
	busyTimeout = 5 * time.Second
	busyPoll    = 10 * time.Millisecond
)

// Device is a kernel device that Add made. One goroutine at a time.
type Device struct{ name string }

// Add makes a device. ENOENT: the kernel has no zram module loaded.
func Add() (*Device, error) {
	text, err := os.ReadFile(filepath.Join(control, "hot_add"))
	if err != nil {
		return nil, fmt.Errorf("add a kernel zram device: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n < 0 {
		return nil, fmt.Errorf("hot_add answered %q, want a device number", text)
	}
	return &Device{name: "zram" + strconv.Itoa(n)}, nil
}

// Path is the device's node.
func (d *Device) Path() string { return "/dev/" + d.name }

// Dir is the directory of the device's attributes.
func (d *Device) Dir() string { return filepath.Join(sysBlock, d.name) }

// Algorithms is what this kernel has compiled in.
func (d *Device) Algorithms() ([]string, error) {
	text, err := os.ReadFile(d.attr("comp_algorithm"))
	if err != nil {
		return nil, err
	}
	return algorithms(string(text)), nil
}

// Fresh makes the device an empty disk of size bytes.
func (d *Device) Fresh(algorithm string, size int64) error {
	for _, w := range [][2]string{
		{"reset", "1"},
		{"comp_algorithm", algorithm},
		{"disksize", strconv.FormatInt(size, 10)},
	} {
		err := patiently(func() error { return os.WriteFile(d.attr(w[0]), []byte(w[1]), 0) })
		if err != nil {
			return fmt.Errorf("write %q: %w", w[1], err)
		}
	}
	return nil
}

// Memory is what mm_stat says now.
func (d *Device) Memory() (Memory, error) {
	text, err := os.ReadFile(d.attr("mm_stat"))
	if err != nil {
		return Memory{}, err
	}
	return parseMemory(string(text))
}

// Remove takes the device away with what is on it.
func (d *Device) Remove() error {
	n := strings.TrimPrefix(d.name, "zram")
	return patiently(func() error {
		return os.WriteFile(filepath.Join(control, "hot_remove"), []byte(n), 0)
	})
}

func (d *Device) attr(name string) string { return filepath.Join(d.Dir(), name) }

// patiently tries again while do says EBUSY, for a bounded time.
func patiently(do func() error) error {
	for end := time.Now().Add(busyTimeout); ; time.Sleep(busyPoll) {
		err := do()
		if !errors.Is(err, syscall.EBUSY) || time.Now().After(end) {
			return err
		}
	}
}

// algorithms are the names in the text of comp_algorithm, in its order.
func algorithms(text string) []string {
	names := strings.Fields(text)
	for i, n := range names {
		names[i] = strings.Trim(n, "[]")
	}
	return slices.Clip(names)
}
