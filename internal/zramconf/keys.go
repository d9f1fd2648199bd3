package zramconf

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// section is what the files say of one device; nil and "" stand for what they do not say.
type section struct {
	hostLimit       limit
	size            string
	residentLimit   string
	algorithms      []Algorithm
	recompress      string
	writebackDevice string
	swapPriority    int
	mountPoint      string
	fsType          string
	options         string

	// Replaced by size, but they overrule it.
	fraction *float64
	maxSize  *limit
}

// limit is a number of MiB; none is no limit.
type limit struct {
	mib  uint64
	none bool
}

func newSection() *section {
	return &section{hostLimit: limit{none: true}, swapPriority: defaultPriority, options: "discard"}
}

const (
	defaultPriority = 100
	defaultSize     = "min(ram / 2, 4096)"
)

// keys are what a section may say. Expressions are computed when all files are read.
var keys = map[string]func(s *section, value string) error{
	"host-memory-limit": setHostLimit,
	"memory-limit":      setHostLimit,
	"zram-size":         func(s *section, value string) error { s.size = value; return nil },
	"zram-resident-limit": func(s *section, value string) error {
		s.residentLimit = value
		return nil
	},
	"compression-algorithm": func(s *section, value string) (err error) {
		s.algorithms, s.recompress, err = parseAlgorithms(value)
		return err
	},
	"writeback-device": func(s *section, value string) (err error) {
		s.writebackDevice, err = parsePath(value)
		return err
	},
	"mount-point": func(s *section, value string) (err error) {
		if s.mountPoint, err = parsePath(value); s.mountPoint == "/" {
			err = errors.New("nothing is mounted on /")
		}
		return err
	},
	"fs-type": func(s *section, value string) error {
		if strings.ContainsFunc(value, func(r rune) bool { return !isWord(r) && r != '.' && r != '-' }) || strings.HasPrefix(value, "-") {
			return errors.New("it is no name of a file system")
		}
		s.fsType = value
		return nil
	},
	"options": func(s *section, value string) error { s.options = value; return nil },
	"swap-priority": func(s *section, value string) error {
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n < -1 || n > 32767 {
			return errors.New("accepted is a number from -1 to 32767")
		}
		s.swapPriority = int(n)
		return nil
	},
	"zram-fraction": func(s *section, value string) error {
		f, err := strconv.ParseFloat(value, 64)
		if err != nil || !(f >= 0) || math.IsInf(f, 0) {
			return errors.New("accepted is a number from 0")
		}
		s.fraction = &f
		return nil
	},
	"max-zram-size": func(s *section, value string) error {
		l, err := parseLimit(value)
		s.maxSize = &l
		return err
	},
}

func setHostLimit(s *section, value string) (err error) {
	s.hostLimit, err = parseLimit(value)
	return err
}

func parseLimit(value string) (limit, error) {
	if value == "none" {
		return limit{none: true}, nil
	}
	n, err := strconv.ParseUint(value, 10, 44) // in bytes it fits into 64 bits
	if err != nil {
		return limit{}, errors.New(`accepted is a number of MiB, or "none"`)
	}
	return limit{mib: n}, nil
}

// parsePath reads the absolute name of something; "" takes back what was said before.
func parsePath(value string) (string, error) {
	switch {
	case value == "":
		return "", nil
	case !filepath.IsAbs(value):
		return "", errors.New("accepted is an absolute path")
	case slices.Contains(strings.Split(value, "/"), ".."):
		return "", errors.New("a path with .. in it is not accepted")
	}
	return filepath.Clean(value), nil
}

// device computes what the section describes. why tells why that is no device: its size is 0, or the machine has more
// memory than it may have.
func (s *section) device(number int, variables map[string]float64) (d Device, why string, err error) {
	ram := uint64(variables["ram"])
	if !s.hostLimit.none && s.hostLimit.mib < ram {
		return d, fmt.Sprintf("the machine has %d MiB of memory, more than its host-memory-limit of %d", ram, s.hostLimit.mib), nil
	}
	d = Device{
		Number: number, Algorithms: s.algorithms, Recompress: s.recompress, WritebackDevice: s.writebackDevice,
		SwapPriority: s.swapPriority, MountPoint: s.mountPoint, FSType: s.fsType, Options: s.options,
	}
	if d.FSType == "" {
		d.FSType = Swap
		if d.MountPoint != "" {
			d.FSType = "ext2"
		}
	}
	if d.FSType == Swap && d.MountPoint != "" {
		return d, "", errors.New("fs-type=swap: swap space has no mount-point")
	}
	if d.Size, err = s.bytes(variables); err != nil {
		return d, "", err
	}
	if s.residentLimit != "" {
		if d.MemLimit, err = mebibytes(s.residentLimit, variables); err != nil {
			return d, "", fmt.Errorf("zram-resident-limit=%s: %w", s.residentLimit, err)
		}
	}
	if d.Size == 0 {
		return d, "its size is 0", nil
	}
	return d, "", nil
}

// bytes computes the size of the device.
func (s *section) bytes(variables map[string]float64) (uint64, error) {
	expression := s.size
	if s.fraction != nil || s.maxSize != nil {
		fraction := 0.5
		if s.fraction != nil {
			fraction = *s.fraction
		}
		expression = fmt.Sprintf("floor(%g * ram)", fraction)
		if s.maxSize != nil && !s.maxSize.none {
			expression = fmt.Sprintf("min(%s, %d)", expression, s.maxSize.mib)
		}
	}
	if expression == "" {
		expression = defaultSize
	}
	bytes, err := mebibytes(expression, variables)
	if err != nil {
		return 0, fmt.Errorf("zram-size=%s: %w", expression, err)
	}
	return bytes, nil
}
