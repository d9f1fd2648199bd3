//go:build nextformat

package fusefs

import (
	"fmt"
	"strconv"
	"strings"

	"uzram/internal/offheap"
)

const loopPrefix = "/dev/loop"

// loopName is the name of the device's own loop device, "" if it has none. From format
// 2 on its number is kept, 0 standing for none.
func (r *deviceRecord) loopName() string {
	if offheap.Format() < 2 {
		return r.loopText()
	}
	if n := r.loopLen.Load(); n > 0 {
		return fmt.Sprint(loopPrefix, n-1)
	}
	return ""
}

func (r *deviceRecord) setLoop(name string) {
	if offheap.Format() < 2 {
		r.setLoopText(name)
		return
	}
	text, ok := strings.CutPrefix(name, loopPrefix)
	number, err := strconv.ParseUint(text, 10, 32)
	if !ok || err != nil {
		r.loopLen.Store(0)
		return
	}
	r.loopLen.Store(number + 1)
}
