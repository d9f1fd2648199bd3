package guard

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

var _ Confinement = Kernel{}

// Capabilities implements Confinement.
func (Kernel) Capabilities() (permitted uint64, err error) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // 64 bits in two halves
	err = unix.Capget(&hdr, &data[0])
	return uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted), err
}

// KeepCapabilities implements Confinement. The bounding set goes first, since that needs CAP_SETPCAP; without it programs
// that root executes would have all capabilities again.
func (k Kernel) KeepCapabilities(keep uint64) error {
	have, err := k.Capabilities()
	if err != nil {
		return err
	}
	if have&(1<<unix.CAP_SETPCAP) != 0 {
		if err := boundCapabilities(keep); err != nil {
			return fmt.Errorf("bounding set: %w", err)
		}
	}
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0); err != nil && err != unix.EINVAL {
		return fmt.Errorf("ambient set: %w", err)
	}
	hdr := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3} // 0: the thread that calls
	data := &[2]unix.CapUserData{}
	for i := range data {
		half := uint32(keep >> (32 * i))
		data[i].Effective, data[i].Permitted = half, half
	}
	return onAllThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(hdr)), uintptr(unsafe.Pointer(data)), 0)
}

func boundCapabilities(keep uint64) error {
	for c := uintptr(0); c < 64; c++ {
		if keep&(1<<c) != 0 {
			continue
		}
		err := onAllThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0)
		if err == unix.EINVAL { // the kernel's last one was before
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// NoNewPrivileges implements Confinement.
func (Kernel) NoNewPrivileges() error {
	return onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
}

// NoCoreDump implements Confinement. A handler that the kernel pipes dumps to is not held by the limit, hence the second
// call; it holds for the whole process.
func (Kernel) NoCoreDump() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("RLIMIT_CORE: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("PR_SET_DUMPABLE: %w", err)
	}
	return nil
}

// onAllThreads makes a call on every thread; it moves nothing that an argument points to.
//
//go:uintptrescapes
func onAllThreads(trap, a1, a2, a3 uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall6(trap, a1, a2, a3, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
