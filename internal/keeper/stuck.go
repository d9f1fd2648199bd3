package keeper

import (
	"bytes"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stuckEvery is how often the worker is asked whether it lives, stuckAgain how soon one that was killed is looked at
	// once more.
	stuckEvery = time.Second
	stuckAgain = 50 * time.Millisecond
	stuckTimes = 3
)

var (
	zombie  = []byte("\nState:\tZ")
	pending = []byte("\nSigPnd:\t")
)

// dying says, from the text of /proc/PID/status, whether a process was killed: its first thread is a zombie, or has SIGKILL
// before it. No thread of such a process executes another instruction of its program. One that waits in the kernel for an
// answer from its own process waits on, and with it the whole process does not end, until a successor gives the answer.
func dying(status []byte) bool {
	if bytes.Contains(status, zombie) {
		return true
	}
	_, after, ok := bytes.Cut(status, pending)
	const digits = 16
	if !ok || len(after) < digits {
		return false
	}
	// SIGKILL is bit 8: the lowest of the third digit from the right.
	d := after[digits-3]
	if d >= 'a' {
		d -= 'a' - 10
	}
	return d&1 != 0
}

// look says whether a worker that does not answer was killed but cannot end. Only then: who reads this file may be the last
// to let go of a dying process's memory, and has to clean up after it.
func (k *keeper) look(c *child) bool {
	if c.proc < 0 {
		return false
	}
	n, err := unix.Pread(c.proc, k.scratch[:], 0)
	if err != nil || !dying(k.scratch[:n]) {
		c.stuck = 0
		return false
	}
	c.stuck++
	return c.stuck >= stuckTimes
}
