//go:build nextformat

package fusefs

import (
	"fmt"
	"strconv"
	"strings"
)

const loopPrefix = "/dev/loop"

// loopName is the name of the mount's own loop device, "" if it has none. From format
// 2 on its number is kept, 0 standing for none.
func (s *connState) loopName() string {
	if s.arena.Version() < 2 {
		return s.loopText()
	}
	if n := s.loopLen.Load(); n > 0 {
		return fmt.Sprint(loopPrefix, n-1)
	}
	return ""
}

func (s *connState) setLoop(name string) {
	if s.arena.Version() < 2 {
		s.setLoopText(name)
		return
	}
	text, ok := strings.CutPrefix(name, loopPrefix)
	number, err := strconv.ParseUint(text, 10, 32)
	if !ok || err != nil {
		s.loopLen.Store(0)
		return
	}
	s.loopLen.Store(number + 1)
}
