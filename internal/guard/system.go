package guard

import (
	"os"
	"runtime"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

// Kernel is the System of the running process.
type Kernel struct{}

var _ System = Kernel{}

const oomScorePath = "/proc/self/oom_score_adj"

// Getenv implements System.
func (Kernel) Getenv(key string) string { return os.Getenv(key) }

// Capable implements System.
func (Kernel) Capable(capability uint) bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // 64 bits in two halves
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	return data[capability/32].Effective&(1<<(capability%32)) != 0
}

// MemlockLimit implements System.
func (Kernel) MemlockLimit() (uint64, bool) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &lim); err != nil {
		return 0, false
	}
	return lim.Cur, lim.Cur == unix.RLIM_INFINITY
}

// LockMemory implements System.
func (Kernel) LockMemory() error {
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

// IOFlusher implements System.
func (Kernel) IOFlusher() (bool, error) {
	set, err := unix.PrctlRetInt(unix.PR_GET_IO_FLUSHER, 0, 0, 0, 0)
	return set == 1, err
}

// SetIOFlusherAndExec implements System. The new program's first thread is the one that calls exec, and it keeps the mark.
func (Kernel) SetIOFlusherAndExec(env string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_IO_FLUSHER, 1, 0, 0, 0); err != nil {
		return err
	}
	err = syscall.Exec(exe, os.Args, append(os.Environ(), env))
	_ = unix.Prctl(unix.PR_SET_IO_FLUSHER, 0, 0, 0, 0) // one marked thread among others would be worse than none
	return err
}

// OOMScoreAdj implements System.
func (Kernel) OOMScoreAdj() (string, error) {
	text, err := os.ReadFile(oomScorePath)
	return string(text), err
}

// SetOOMScoreAdj implements System.
func (Kernel) SetOOMScoreAdj(text string) error { return os.WriteFile(oomScorePath, []byte(text), 0) }

// SetGCPercent implements System.
func (Kernel) SetGCPercent(percent int) { debug.SetGCPercent(percent) }
