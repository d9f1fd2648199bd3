package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/size"
	"uzram/internal/zramabi"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// setting is a value for an attribute of the new device.
type setting struct{ attr, value string }

func (s setting) String() string { return s.attr + "=" + s.value }

// parseSettings returns what the flags of mount ask for, in the order in which it is applied: algorithm, backing device,
// each secondary algorithm, each --set, mem-limit, disksize.
func parseSettings(c *cli.Context, b backing) ([]setting, error) {
	var list []setting
	if c.IsSet("algorithm") {
		name := c.String("algorithm")
		if name == "" {
			return nil, usagef("--algorithm needs the name of an algorithm")
		}
		list = append(list, setting{"comp_algorithm", name})
	}
	if b.path != "" {
		list = append(list, setting{"backing_dev", b.path})
	}
	recomps, err := parseRecomps(c)
	if err != nil {
		return nil, err
	}
	list = append(list, recomps...)
	for _, text := range c.StringSlice("set") {
		s, err := parseSetting(text)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	for _, f := range []struct {
		flag, attr string
		least      uint64
	}{{"mem-limit", "mem_limit", 0}, {"disksize", "disksize", 1}} {
		if !c.IsSet(f.flag) {
			continue
		}
		n, err := size.Parse(c.String(f.flag))
		if err == nil && n < f.least {
			err = errors.New("it must be above 0")
		}
		if err != nil {
			return nil, usagef("--%s: %w", f.flag, err)
		}
		list = append(list, setting{f.attr, strconv.FormatUint(n, 10)})
	}
	return list, nil
}

// parseSetting reads what --set takes.
func parseSetting(text string) (setting, error) {
	s, ok := cutSetting(text)
	if !ok {
		return setting{}, usagef("--set %q: accepted is ATTR=VALUE, as in --set mem_limit=512M", text)
	}
	return s, nil
}

// cutSetting reads ATTR=VALUE.
func cutSetting(text string) (s setting, ok bool) {
	attr, value, ok := strings.Cut(text, "=")
	plain := !strings.ContainsFunc(attr, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return setting{attr, value}, ok && attr != "" && value != "" && plain
}

// apply writes the settings in turn and stops at the first that is refused.
func apply(dir ctldir.Dir, list []setting) error {
	for _, s := range list {
		if err := dir.Write(s.attr, s.value); err != nil {
			return refusal(dir, s, err)
		}
	}
	return nil
}

// userErrors are those with which a device refuses a value; others are failures.
var userErrors = []error{
	unix.EINVAL, unix.ERANGE, unix.E2BIG, unix.ENOENT, unix.EISDIR, unix.EACCES, unix.EBUSY, unix.EOPNOTSUPP, unix.ENOTBLK,
	unix.ENOTDIR, unix.EROFS,
}

// refusal words why a setting was refused.
func refusal(dir ctldir.Dir, s setting, err error) error {
	switch {
	case errors.Is(err, unix.EINVAL) && strings.HasSuffix(s.attr, "comp_algorithm"):
		if unknown := unknownAlgorithm(dir, s); unknown != nil {
			return unknown
		}
	case errors.Is(err, unix.ENOENT) && s.attr == "backing_dev":
		return usagef("there is no %s; --backing-dev PATH:SIZE makes a file, where SIZE is %s", s.value, size.Accepted)
	case errors.Is(err, unix.EBUSY) && s.attr == "backing_dev":
		if text, rerr := dir.Read("initstate"); rerr == nil && strings.TrimSpace(text) == "0" {
			return usagef("backing_dev=%s: something else uses it", s.value)
		}
	}
	for _, u := range userErrors {
		if errors.Is(err, u) {
			return withCode(exitUsage, err)
		}
	}
	return err
}

// unknownAlgorithm returns an error if a setting of comp_algorithm or recomp_algorithm names none that there is.
func unknownAlgorithm(dir ctldir.Dir, s setting) error {
	name := s.value
	if s.attr == "recomp_algorithm" {
		r, err := zramabi.ParseRecompAlgorithm(s.value)
		if err != nil {
			return nil
		}
		name = r.Algo
	}
	text, err := dir.Read("comp_algorithm")
	if err != nil {
		return nil
	}
	all, err := zramabi.ParseAlgorithms(text)
	if err != nil || slices.Contains(all.Names, name) {
		return nil
	}
	return usagef("there is no algorithm %q; accepted: %s", name, strings.Join(all.Names, ", "))
}

// lastSize returns the last value given to an attribute as bytes; 0 if it was given none, or one that is refused.
func lastSize(list []setting, attr string) uint64 {
	var bytes uint64
	for _, s := range list {
		if s.attr == attr {
			bytes, _ = zramabi.ParseSize(s.value)
		}
	}
	return bytes
}

// warnOversize warns of disks that can hold more than the machine can keep, with no limit that would stop them before.
func warnOversize(w io.Writer, list []setting, disks int, ram uint64) {
	const most = 2
	disk := lastSize(list, "disksize")
	if disks > 1 {
		disk *= min(uint64(disks), math.MaxUint64/max(1, disk))
	}
	if ram == 0 || lastSize(list, "mem_limit") != 0 || disk <= most*ram {
		return
	}
	fmt.Fprintf(w, "uzram: warning: a disk of %s on a machine with %s of memory can use all of it; --mem-limit sets a limit\n",
		size.Format(disk), size.Format(ram))
}

// totalRAM returns the machine's memory in bytes, 0 if it is not known.
func totalRAM() uint64 {
	var si unix.Sysinfo_t
	if err := unix.Sysinfo(&si); err != nil {
		return 0
	}
	return uint64(si.Totalram) * uint64(si.Unit)
}
