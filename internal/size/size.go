package size

import (
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// Accepted describes the grammar, for error messages and help.
const Accepted = "digits and one of K M G T P E, optionally followed by B or iB"

// ErrSize is what every error of Parse wraps.
var ErrSize = errors.New("not a size")

// suffixes are the units in ascending order; each is 1024 times the one before, the first is 1024 bytes.
const suffixes = "KMGTPE"

// Parse reads digits, one of K M G T P E in either case, and optionally B or iB, all powers of 1024: "512M", "4GiB".
// Digits alone are bytes. Anything else, and a size of 2^64 bytes or more, is an error.
func Parse(s string) (uint64, error) {
	digits := s[:len(s)-len(strings.TrimLeft(s, "0123456789"))]
	if digits == "" {
		return 0, refuse(s, "accepted: "+Accepted)
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return 0, refuse(s, "it must be below 16E")
	}
	shift, ok := unit(s[len(digits):])
	if !ok {
		return 0, refuse(s, "accepted: "+Accepted)
	}
	if bits.Len64(n)+shift > 64 {
		return 0, refuse(s, "it must be below 16E")
	}
	return n << shift, nil
}

// unit returns the binary logarithm of a unit's bytes.
func unit(u string) (shift int, ok bool) {
	if u == "" {
		return 0, true
	}
	i := strings.IndexByte(suffixes, u[0]&^('a'-'A'))
	switch u[1:] {
	case "", "B", "iB":
		return 10 * (i + 1), i >= 0
	}
	return 0, false
}

func refuse(s, why string) error { return fmt.Errorf("%q is %w; %s", s, ErrSize, why) }

// Format writes n bytes with three digits (four just below the next unit) in the largest unit that keeps the number at 1 or above: "1.5 GiB".
func Format(n uint64) string {
	if n < 1024 {
		return strconv.FormatUint(n, 10) + " B"
	}
	i := (bits.Len64(n) - 1) / 10
	v := float64(n) / float64(uint64(1)<<(10*i))
	prec := 2
	switch {
	case v >= 100:
		prec = 0
	case v >= 10:
		prec = 1
	}
	return strconv.FormatFloat(v, 'f', prec, 64) + " " + suffixes[i-1:i] + "iB"
}
