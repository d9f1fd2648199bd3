package snapshot

import (
	"fmt"
	"syscall"
)

// What is wrong with a file. The texts go on from "FILE is".
var (
	ErrForeign   = fmt.Errorf("no snapshot of uzram: %w", syscall.EINVAL)
	ErrNewer     = fmt.Errorf("a snapshot of a newer uzram: %w", syscall.EOPNOTSUPP)
	ErrTruncated = fmt.Errorf("a snapshot whose end is missing: %w", syscall.ENODATA)
	ErrDamaged   = fmt.Errorf("a damaged snapshot: %w", syscall.EBADMSG)
)
