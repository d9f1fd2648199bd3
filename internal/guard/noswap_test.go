package guard

import (
	"fmt"
	"syscall"
	"testing"

	"uzram/internal/status"
)

func TestNoSwap(t *testing.T) {
	for _, c := range []struct {
		err  error
		want status.Guard
	}{
		{nil, status.Guard{Name: "noswap", State: status.GuardActive}},
		{fmt.Errorf("mount: %w", syscall.EPERM), status.Guard{Name: "noswap", State: status.GuardRefused, Reason: "needs CAP_SYS_ADMIN"}},
		{syscall.EINVAL, status.Guard{Name: "noswap", State: status.GuardRefused, Reason: "needs Linux 6.4"}},
		{syscall.ENFILE, status.Guard{Name: "noswap", State: status.GuardRefused, Reason: syscall.ENFILE.Error()}},
	} {
		if got := NoSwap(c.err); got != c.want {
			t.Errorf("%v: %+v, want %+v", c.err, got, c.want)
		}
	}
}
