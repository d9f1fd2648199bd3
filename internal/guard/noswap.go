package guard

import (
	"errors"
	"syscall"

	"uzram/internal/status"
)

// NoSwap shows whether the disk's memory is of a kind that is never swapped out, whoever has locked it; err is why not.
func NoSwap(err error) status.Guard {
	const name = "noswap"
	switch {
	case err == nil:
		return active(name, "")
	case errors.Is(err, syscall.EPERM):
		return refused(name, "needs CAP_SYS_ADMIN")
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENOSYS):
		return refused(name, "needs Linux 6.4")
	}
	return refused(name, "%s", err)
}
