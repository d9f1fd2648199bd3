package zramabi

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"syscall"
)

// ParseSize reads a C-style number (decimal, 0x hexadecimal, leading-0 octal)
// and at most one of K M G T P E in either case, powers of 1024. Whatever
// follows is ignored, as the kernel does ("64KB", "64 K" = 64). What does not
// fit into 64 bits is 2^64-1. EINVAL: no digit in front.
func ParseSize(s string) (uint64, error) {
	n, rest := leadingNumber(s)
	if len(rest) == len(s) {
		return 0, fmt.Errorf("size %.20q: want a number and one of K M G T P E: %w", s, syscall.EINVAL)
	}
	if rest == "" {
		return n, nil
	}
	shift := 10 * (1 + strings.IndexByte("KMGTPE", rest[0]&^0x20))
	if bits.Len64(n)+shift > 64 {
		return math.MaxUint64, nil
	}
	return n << shift, nil
}

// leadingNumber reads the C-style number that s begins with.
func leadingNumber(s string) (n uint64, rest string) {
	base, rest := numberBase(s)
	over := false
	for rest != "" && digit(rest[0]) < base {
		var o bool
		n, o = appendDigit(n, base, digit(rest[0]))
		over, rest = over || o, rest[1:]
	}
	if over {
		n = math.MaxUint64
	}
	return n, rest
}

// appendDigit is n*base + d, and whether that took more than 64 bits.
func appendDigit(n, base, d uint64) (sum uint64, over bool) {
	hi, lo := bits.Mul64(n, base)
	sum, carry := bits.Add64(lo, d, 0)
	return sum, hi|carry != 0
}

// numberBase tells the base of a C-style number and takes the 0x off. A lone 0
// is octal, and so is "0x" without a digit behind it.
func numberBase(s string) (base uint64, rest string) {
	switch {
	case len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' && digit(s[2]) < 16:
		return 16, s[2:]
	case s != "" && s[0] == '0':
		return 8, s
	}
	return 10, s
}

// digit is the value of a digit of any base up to 16, 255 for all else.
func digit(c byte) uint64 {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return uint64(c|0x20-'a') + 10
	}
	return 255
}

// ParseU10 reads an unsigned decimal number of at most size bits: digits, an
// optional + in front, an optional newline behind. EINVAL: anything else;
// ERANGE: too large.
func ParseU10(s string, size int) (uint64, error) { return parseUint(s, size, false) }

// ParseU0 is ParseU10 for C-style numbers: 0x and leading-0 octal too.
func ParseU0(s string, size int) (uint64, error) { return parseUint(s, size, true) }

func parseUint(s string, size int, anyBase bool) (uint64, error) {
	t := strings.TrimPrefix(strings.TrimSuffix(s, "\n"), "+")
	base := uint64(10)
	if anyBase {
		base, t = numberBase(t)
	}
	if t == "" {
		return 0, notANumber(s)
	}
	var n uint64
	over := false
	for i := range len(t) {
		d := digit(t[i])
		if d >= base {
			return 0, notANumber(s)
		}
		var o bool
		n, o = appendDigit(n, base, d)
		over = over || o
	}
	if over || bits.Len64(n) > size {
		return 0, fmt.Errorf("%.30q: want at most %d bits: %w", s, size, syscall.ERANGE)
	}
	return n, nil
}

// parseInt reads a signed decimal number of 32 bits.
func parseInt(s string) (int32, error) {
	digits, negative := strings.CutPrefix(s, "-")
	n, err := ParseU10(digits, 64)
	if err != nil {
		return 0, err
	}
	if negative && digits[0] == '+' {
		return 0, notANumber(s)
	}
	limit := uint64(math.MaxInt32)
	if negative {
		limit++
	}
	if n > limit {
		return 0, fmt.Errorf("%.30q: want a number of 32 bits: %w", s, syscall.ERANGE)
	}
	if negative {
		return int32(-int64(n)), nil
	}
	return int32(n), nil
}

func notANumber(s string) error {
	return fmt.Errorf("%.30q is not a number: %w", s, syscall.EINVAL)
}
