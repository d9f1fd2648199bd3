package zramabi

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
)

// RecompAlgorithm is one write to recomp_algorithm.
type RecompAlgorithm struct {
	Algo     string
	Priority int32
}

// firstSecondary is the priority of a secondary algorithm for which none is
// given.
const firstSecondary = 1

// ParseRecompAlgorithm reads a command. E2BIG: a name of 128 bytes or more.
// EINVAL: no algo, a key without value, or not a number; ERANGE: more than 32
// bits.
func ParseRecompAlgorithm(s string) (RecompAlgorithm, error) {
	r := RecompAlgorithm{Priority: firstSecondary}
	err := eachParam(s, func(pair Pair) (err error) {
		switch pair.Key {
		case "algo":
			r.Algo, err = ParseName(pair.Value)
		case "priority":
			r.Priority, err = parseInt(pair.Value)
		}
		return err
	})
	if err == nil && r.Algo == "" {
		err = fmt.Errorf("want algo=NAME and perhaps priority=N: %w", syscall.EINVAL)
	}
	if err != nil {
		return RecompAlgorithm{}, err
	}
	return r, nil
}

// AppendRecompAlgorithms writes one line of recomp_algorithm to dst.
func AppendRecompAlgorithms(dst []byte, priority int, a Algorithms) []byte {
	dst = append(strconv.AppendInt(append(dst, '#'), int64(priority), 10), ": "...)
	return a.Append(dst)
}

// ParseRecompAlgorithms reads all of recomp_algorithm. EINVAL: anything else.
// The NUL bytes behind lines of some kernels are left out.
func ParseRecompAlgorithms(s string) (list []RecompAlgorithm, err error) {
	for line := range strings.Lines(strings.ReplaceAll(s, "\x00", "")) {
		head, names, ok := strings.Cut(line, ": ")
		digits, numbered := strings.CutPrefix(head, "#")
		priority, err := parseInt(digits)
		if !ok || !numbered || err != nil {
			return nil, fmt.Errorf("recomp_algorithm %.80q: %w", line, syscall.EINVAL)
		}
		a, err := ParseAlgorithms(names)
		if err != nil {
			return nil, err
		}
		list = append(list, RecompAlgorithm{a.Selected, priority})
	}
	return list, nil
}

// Recompress is one write to recompress.
type Recompress struct {
	Idle, Huge  bool // only pages that are so; both: that are both
	Threshold   uint32
	MaxPages    uint64
	HasMaxPages bool
	Algo        string // "" = not given
	Priority    Optional
}

// HugeSize is the size in bytes from which an object is not worth keeping: its
// page is stored raw. The ABI has it as the bound of recompress's threshold.
const HugeSize = 3625

// pageKinds are the types that recompress and writeback have in common.
var pageKinds = map[string]struct{ idle, huge bool }{
	"idle":      {idle: true},
	"huge":      {huge: true},
	"huge_idle": {idle: true, huge: true},
}

// ParseRecompress reads a command. EINVAL: an unknown type, a key without value,
// or not a number; ERANGE: too large a number.
func ParseRecompress(s string) (Recompress, error) {
	var r Recompress
	err := eachParam(s, func(pair Pair) (err error) {
		switch pair.Key {
		case "type":
			kind, ok := pageKinds[pair.Value]
			if !ok {
				return fmt.Errorf("%.40q: want idle, huge or huge_idle: %w", pair.Value, syscall.EINVAL)
			}
			r.Idle, r.Huge = kind.idle, kind.huge
		case "threshold":
			var n uint64
			n, err = ParseU10(pair.Value, 32)
			r.Threshold = uint32(n)
		case "max_pages":
			r.MaxPages, err = ParseU10(pair.Value, 64)
			r.HasMaxPages = true
		case "priority":
			err = r.Priority.parse(pair.Value)
		case "algo":
			r.Algo = pair.Value
		}
		return err
	})
	if err != nil {
		return Recompress{}, err
	}
	return r, nil
}
