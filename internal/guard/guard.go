package guard

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"uzram/internal/size"
	"uzram/internal/status"

	"golang.org/x/sys/unix"
)

const (
	oomScoreAdj = -1000
	// gcPercent: the heap holds a few MiB that live as long as the process; a low figure costs collections only where
	// something is allocated, and nothing is for I/O.
	gcPercent = 50
	// reexecEnv marks the environment of the second start, so that there is never a third.
	reexecEnv = "UZRAM_IO_FLUSHER_SET"
)

// Names of guards that others look for.
const (
	Mlock       = "mlock"
	IOFlusher   = "io_flusher"
	OOMScore    = "oom_score_adj"
	ReserveName = "reserve"
	KeeperName  = "keeper"
)

// System is what the guards ask of the kernel and the runtime.
type System interface {
	Getenv(key string) string
	Capable(capability uint) bool // effective
	MemlockLimit() (bytes uint64, unlimited bool)
	LockMemory() error                    // mlockall, on fault
	IOFlusher() (bool, error)             // of the calling thread
	SetIOFlusherAndExec(env string) error // on one thread; returns only on failure; env is added as "KEY=VALUE"
	OOMScoreAdj() (string, error)
	SetOOMScoreAdj(text string) error
	SetGCPercent(percent int)
}

// Apply puts up all guards that it can and says how each fared. Call it early, before threads do work and before anything
// is opened that must not be inherited: to get every thread marked as I/O flusher it starts the program again in place,
// with the same process id, arguments and descriptors, and in that case does not return.
func Apply(sys System) []status.Guard {
	flusher := ioFlusher(sys) // first: locked memory does not outlive the new start
	return []status.Guard{lockMemory(sys), flusher, oomScore(sys), collector(sys)}
}

// Reserve is the guard for the engine's reserve, of which bytes are ready. The engine builds it when a disk that is set up
// begins to store data, for the sizes that this needs.
func Reserve(bytes uint64, setUp bool) status.Guard {
	const name = ReserveName
	switch {
	case bytes > 0:
		return active(name, size.Format(bytes))
	case setUp:
		return status.Guard{Name: name, State: status.GuardOff, Reason: "nothing has needed memory yet"}
	}
	return status.Guard{Name: name, State: status.GuardOff, Reason: "no disk is set up"}
}

func active(name, reason string) status.Guard {
	return status.Guard{Name: name, State: status.GuardActive, Reason: reason}
}

func refused(name, format string, args ...any) status.Guard {
	return status.Guard{Name: name, State: status.GuardRefused, Reason: fmt.Sprintf(format, args...)}
}

// ioFlusher marks all threads. The mark is one of a thread and handed on to those that it starts, and the runtime has
// started some already: so one thread sets it and then starts the program again.
func ioFlusher(sys System) status.Guard {
	const name = IOFlusher
	set, err := sys.IOFlusher()
	switch {
	case err == nil && set:
		return active(name, "")
	case errors.Is(err, unix.EINVAL):
		return refused(name, "the kernel is older than Linux 5.6")
	case err == nil && sys.Getenv(reexecEnv) != "":
		return refused(name, "the mark was lost when the program started again")
	}
	if err == nil {
		err = sys.SetIOFlusherAndExec(reexecEnv + "=1")
	}
	return refused(name, "%s", explain(err, "CAP_SYS_RESOURCE"))
}

// lockMemory locks only where no limit applies: with one, MCL_FUTURE would make a later mmap fail, in the midst of work.
func lockMemory(sys System) status.Guard {
	const name = Mlock
	limit, unlimited := sys.MemlockLimit()
	if !unlimited && !sys.Capable(unix.CAP_IPC_LOCK) {
		return refused(name, "needs CAP_IPC_LOCK or an unlimited RLIMIT_MEMLOCK, which is %s", size.Format(limit))
	}
	if err := sys.LockMemory(); err != nil {
		return refused(name, "%s", explain(err, "CAP_IPC_LOCK"))
	}
	return active(name, "")
}

func oomScore(sys System) status.Guard {
	const name = OOMScore
	want := strconv.Itoa(oomScoreAdj)
	if now, err := sys.OOMScoreAdj(); err == nil && strings.TrimSpace(now) == want {
		return active(name, "")
	}
	if err := sys.SetOOMScoreAdj(want); err != nil {
		return refused(name, "%s", explain(err, "CAP_SYS_RESOURCE"))
	}
	return active(name, "")
}

func collector(sys System) status.Guard {
	const name = "gc"
	if v := sys.Getenv("GOGC"); v != "" {
		return status.Guard{Name: name, State: status.GuardOff, Reason: "GOGC=" + v + " is set in the environment"}
	}
	sys.SetGCPercent(gcPercent)
	return active(name, fmt.Sprintf("%d %%", gcPercent))
}

// explain names the missing right where that is what the error means.
func explain(err error, capability string) string {
	var errno syscall.Errno
	if errors.As(err, &errno) && (errno == unix.EPERM || errno == unix.EACCES) {
		return "needs " + capability
	}
	return err.Error()
}
