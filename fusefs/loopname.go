//go:build !nextformat

package fusefs

// loopName is the name of the mount's own loop device, "" if it has none.
func (s *connState) loopName() string { return s.loopText() }

func (s *connState) setLoop(name string) { s.setLoopText(name) }
