package guard

import (
	"errors"
	"fmt"
	"math/bits"
	"syscall"

	"uzram/internal/status"

	"golang.org/x/sys/unix"
)

// kept are the capabilities that a daemon needs beyond its start: to unmount and to end swapping, to keep memory locked
// that it has yet to ask for, to open backing devices and dictionaries of other users, and to say whose open file keeps
// the mount busy.
const kept uint64 = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_IPC_LOCK | 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH |
	1<<unix.CAP_SYS_PTRACE

// handedOn are those that a daemon needs at its start, and so does who starts it: to put up its guards, and to take from
// itself what it needs no more.
const handedOn uint64 = 1<<unix.CAP_SYS_RESOURCE | 1<<unix.CAP_SETPCAP

// Confinement is what Confine asks of the kernel.
type Confinement interface {
	Capabilities() (permitted uint64, err error)
	// KeepCapabilities drops all but these, of all threads and for whatever they execute.
	KeepCapabilities(keep uint64) error
	// NoNewPrivileges sees to it that nothing that is executed has more rights, on all threads.
	NoNewPrivileges() error
	// NoCoreDump keeps the memory out of core dumps and from other processes of the same user.
	NoCoreDump() error
}

// Confine takes from this process what it will not need any more: capabilities, new privileges through programs that it
// executes, and core dumps. Call it after Apply and before the mount exists: it stops all threads for a moment, and one that
// waits for the mount would not stop. What this process starts is confined as it is.
func Confine(c Confinement) []status.Guard {
	return []status.Guard{capabilities(c, kept), noNewPrivileges(c), noCoreDump(c)}
}

// ConfineStarter is Confine for a process that starts daemons, each of which confines itself.
func ConfineStarter(c Confinement) []status.Guard {
	return []status.Guard{capabilities(c, kept|handedOn), noNewPrivileges(c), noCoreDump(c)}
}

func capabilities(c Confinement, keep uint64) status.Guard {
	const name = "capabilities"
	have, err := c.Capabilities()
	if err != nil {
		return refused(name, "%s", err)
	}
	if have&^keep == 0 {
		return active(name, fmt.Sprintf("%d are left, none had to be dropped", bits.OnesCount64(have)))
	}
	if err := c.KeepCapabilities(have & keep); err != nil {
		return refused(name, "%s", confineError(err))
	}
	return active(name, fmt.Sprintf("%d are left, %d were dropped", bits.OnesCount64(have&keep), bits.OnesCount64(have&^keep)))
}

// noNewPrivileges leaves alone whoever needs the helper that mounts and unmounts for ordinary users, a setuid program.
func noNewPrivileges(c Confinement) status.Guard {
	const name = "no_new_privs"
	have, err := c.Capabilities()
	if err == nil && have&(1<<unix.CAP_SYS_ADMIN) == 0 {
		return status.Guard{Name: name, State: status.GuardOff, Reason: "fusermount3, which unmounts for ordinary users, needs new privileges"}
	}
	if err == nil {
		err = c.NoNewPrivileges()
	}
	if err != nil {
		return refused(name, "%s", confineError(err))
	}
	return active(name, "")
}

func noCoreDump(c Confinement) status.Guard {
	const name = "no_core_dump"
	if err := c.NoCoreDump(); err != nil {
		return refused(name, "%s", err)
	}
	return active(name, "")
}

func confineError(err error) string {
	if errors.Is(err, syscall.ENOTSUP) {
		return "this program was built with cgo, which cannot change all threads"
	}
	return err.Error()
}
