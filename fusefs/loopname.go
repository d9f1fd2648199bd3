//go:build !nextformat

package fusefs

// loopName is the name of the device's own loop device, "" if it has none.
func (r *deviceRecord) loopName() string { return r.loopText() }

func (r *deviceRecord) setLoop(name string) { r.setLoopText(name) }
