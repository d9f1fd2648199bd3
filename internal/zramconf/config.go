package zramconf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/ini.v1"
)

// Swap is the FSType of swap space.
const Swap = "swap"

// MaxNumber is the highest number that a device may have.
const MaxNumber = 255

// Device is one device of a configuration, with everything computed.
type Device struct {
	Number          int
	Size            uint64      // bytes, above 0
	MemLimit        uint64      // bytes; 0 = none
	Algorithms      []Algorithm // the primary one and those to recompress by; empty = the default
	Recompress      string      // what a recompression shall do, key=value
	WritebackDevice string      // "" = none
	FSType          string      // never empty; Swap is swap space
	MountPoint      string      // "" = none
	Options         string      // of mount or swapon
	SwapPriority    int         // -1 = the kernel's choice
}

// Config is what a configuration says.
type Config struct {
	Devices []Device // by number
	Notes   []string // what was ignored, and why
}

// Read reads files in turn. The machine's memory is that of proc/meminfo below root, "" being the machine's own.
func Read(root string, files []string) (Config, error) { return read(root, files, false) }

// ReadFound reads what Find finds. The kernel's command line, which speaks to zram-generator, may forbid that, or ask for
// a device with the defaults; to a configuration of our own it does not apply.
func ReadFound(root string) (Config, error) {
	files, err := Find(root)
	if err != nil {
		return Config{}, err
	}
	if slices.Equal(files, []string{filepath.Join(root, OwnFile)}) {
		return read(root, files, false)
	}
	on, given := askedByKernel(root)
	if given && !on {
		return Config{Notes: []string{"the kernel's command line says that there shall be no device"}}, nil
	}
	return read(root, files, on)
}

// read makes a zram0 with the defaults, if first is set, where the files have none.
func read(root string, files []string, first bool) (Config, error) {
	r := reader{sections: map[int]*section{}, variables: map[string]float64{}}
	mib, err := totalMiB(root)
	if err != nil {
		return r.config, err
	}
	r.variables["ram"] = float64(mib)
	if first {
		r.sections[0] = newSection()
	}
	for _, file := range files {
		if err := r.read(file); err != nil {
			return r.config, fmt.Errorf("%s: %w", file, err)
		}
	}
	return r.finish()
}

// reader is one reading under way.
type reader struct {
	config    Config
	sections  map[int]*section
	variables map[string]float64
}

func (r *reader) note(format string, args ...any) {
	r.config.Notes = append(r.config.Notes, fmt.Sprintf(format, args...))
}

func (r *reader) read(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		if failed, ok := errors.AsType[*fs.PathError](err); ok {
			err = failed.Err // which file it is is told anyway
		}
		return err
	}
	// A # or ; behind a value belongs to it, and so do quotes within it, for it may be a command.
	file, err := ini.LoadSources(ini.LoadOptions{IgnoreInlineComment: true, PreserveSurroundedQuote: true}, text)
	if err != nil {
		return errors.New(strings.TrimSpace(err.Error()))
	}
	for _, part := range file.Sections() {
		if part.Name() == ini.DefaultSection {
			if err := r.topLevel(path, part.Keys()); err != nil {
				return err
			}
			continue
		}
		number, ok, err := parseName(part.Name())
		if err != nil {
			return err
		}
		if !ok {
			r.note("%s: the section [%s] is ignored; those of devices are [zramN]", path, part.Name())
			continue
		}
		if err := r.section(path, number, part.Keys()); err != nil {
			return err
		}
	}
	return nil
}

// parseName reads the name of a device's section. ok is false for those of others.
func parseName(name string) (number int, ok bool, err error) {
	text, named := strings.CutPrefix(name, "zram")
	if !named || text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n > MaxNumber {
		return 0, false, fmt.Errorf("[%s]: devices have numbers from 0 to %d", name, MaxNumber)
	}
	return int(n), true, nil
}

func (r *reader) section(path string, number int, list []*ini.Key) error {
	s := r.sections[number]
	if s == nil {
		s = newSection()
		r.sections[number] = s
	}
	for _, key := range list {
		set, known := keys[key.Name()]
		if !known {
			r.note("%s: [zram%d]: the key %s is ignored; there is none of that name", path, number, key.Name())
			continue
		}
		value := unquote(key.Value())
		if err := set(s, value); err != nil {
			return fmt.Errorf("[zram%d] %s=%s: %w", number, key.Name(), value, err)
		}
	}
	return nil
}

// unquote takes quotes around a whole value off.
func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		if inner := value[1 : n-1]; !strings.ContainsRune(inner, rune(value[0])) {
			return inner
		}
	}
	return value
}

// setPrefix begins a key outside of all sections that makes a variable of what a command prints.
const setPrefix = "set!"

func (r *reader) topLevel(path string, list []*ini.Key) error {
	for _, key := range list {
		name, ok := strings.CutPrefix(key.Name(), setPrefix)
		if !ok || name == "" {
			r.note("%s: the key %s is ignored; it is in no section", path, key.Name())
			continue
		}
		text, err := output(key.Value())
		if _, exit := errors.AsType[*exec.ExitError](err); exit {
			r.note("%s: %s=%s: the command failed: %v", path, key.Name(), key.Value(), err)
			err = nil // what it printed counts
		}
		if err == nil {
			r.variables[name], err = evaluate(strings.TrimSpace(text), r.variables)
		}
		if err != nil {
			return fmt.Errorf("%s=%s: %w", key.Name(), key.Value(), err)
		}
	}
	return nil
}

// commandTime is how long the command of a variable may take.
const commandTime = 30 * time.Second

// output runs a command of the shell.
func output(command string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	var text bytes.Buffer
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", "--", command)
	cmd.Stdout, cmd.Stderr = &text, os.Stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	return text.String(), err
}

// finish computes the devices.
func (r *reader) finish() (Config, error) {
	mounts := map[string]int{}
	for _, number := range slices.Sorted(maps.Keys(r.sections)) {
		d, why, err := r.sections[number].device(number, r.variables)
		if err != nil {
			return r.config, fmt.Errorf("[zram%d] %w", number, err)
		}
		if why != "" {
			r.note("zram%d is left out: %s", number, why)
			continue
		}
		if other, taken := mounts[d.MountPoint]; taken && d.MountPoint != "" {
			return r.config, fmt.Errorf("[zram%d] mount-point=%s: zram%d has the same", number, d.MountPoint, other)
		}
		mounts[d.MountPoint] = number
		r.config.Devices = append(r.config.Devices, d)
	}
	return r.config, nil
}
