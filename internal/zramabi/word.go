package zramabi

import (
	"fmt"
	"strings"
	"syscall"
)

// maxName is the room for an algorithm's name, its newline included, in bytes.
const maxName = 128

// Word takes one trailing newline off; words are compared exactly.
func Word(s string) string { return strings.TrimSuffix(s, "\n") }

// ParseName reads an algorithm's name. E2BIG: 128 bytes or more.
func ParseName(s string) (string, error) {
	if len(s) >= maxName {
		return "", fmt.Errorf("name of %d bytes: want fewer than %d: %w", len(s), maxName, syscall.E2BIG)
	}
	return Word(s), nil
}

// ParseBool judges a switch by its first letters and ignores the rest: 1 y t e
// are true, 0 n f d false, on and of decide by the second. EINVAL: anything
// else.
func ParseBool(s string) (bool, error) {
	lower := strings.ToLower(s[:min(len(s), 2)])
	if lower != "" {
		switch lower[0] {
		case '1', 'y', 't', 'e':
			return true, nil
		case '0', 'n', 'f', 'd':
			return false, nil
		}
	}
	switch lower {
	case "on":
		return true, nil
	case "of":
		return false, nil
	}
	return false, fmt.Errorf("%.20q is not a switch: want one of 1 0 y n on off: %w", s, syscall.EINVAL)
}

// Algorithms is the text of comp_algorithm: what there is and what is chosen.
type Algorithms struct {
	Names    []string
	Selected string
}

// Append writes a in the kernel's format to dst.
func (a Algorithms) Append(dst []byte) []byte {
	for _, name := range a.Names {
		if name == a.Selected {
			name = "[" + name + "]"
		}
		dst = append(append(dst, name...), ' ')
	}
	return append(dst, '\n')
}

// ParseAlgorithms undoes Append. EINVAL: no name, or not exactly one chosen.
func ParseAlgorithms(s string) (Algorithms, error) {
	var a Algorithms
	for _, name := range strings.Fields(s) {
		if inner, ok := strings.CutPrefix(name, "["); ok {
			if inner, ok = strings.CutSuffix(inner, "]"); !ok || inner == "" || a.Selected != "" {
				return Algorithms{}, fmt.Errorf("comp_algorithm %.80q: %w", s, syscall.EINVAL)
			}
			name, a.Selected = inner, inner
		}
		a.Names = append(a.Names, name)
	}
	if a.Selected == "" {
		return Algorithms{}, fmt.Errorf("comp_algorithm %.80q: none is chosen: %w", s, syscall.EINVAL)
	}
	return a, nil
}
