package mountinfo

import (
	"strings"
	"syscall"
)

// BusyError says that a mount cannot be given up, and why. It wraps EBUSY.
type BusyError struct {
	Dir     string
	Holders []string // plain words, as Holders gives them; may be empty
}

func (e *BusyError) Error() string {
	if len(e.Holders) == 0 {
		return e.Dir + " is in use by something that /proc does not show"
	}
	return e.Dir + " is in use: " + strings.Join(e.Holders, "; ")
}

func (e *BusyError) Unwrap() error { return syscall.EBUSY }
