package fusermount

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Name is the program.
const Name = "fusermount3"

// ErrMissing says that the program is not there. It wraps ENOENT.
var ErrMissing = fmt.Errorf("%s, which ordinary users need, is not installed: %w", Name, syscall.ENOENT)

// Manner of an unmount.
type Manner bool

// The manners of an unmount.
const (
	Cleanly Manner = false // fails with EBUSY while something uses the mount
	Lazily  Manner = true  // takes the mount out of the tree now; it ends with its last user
)

// Unmount takes the mount off dir, with the program's help where this process may not. It wraps EBUSY if the mount is in
// use, else the errno of the system call or what Run returns.
func Unmount(dir string, how Manner) error {
	flags, args := unix.UMOUNT_NOFOLLOW, []string{"-u", "--", dir}
	if how == Lazily {
		flags, args = flags|unix.MNT_DETACH, append([]string{"-z"}, args...)
	}
	if err := unix.Unmount(dir, flags); err != unix.EPERM {
		return err
	}
	return Run(-1, args...)
}

// Run runs the program to its end. comm is the socket that it sends the connection to, -1 for none. The error is
// ErrMissing, or the program's own words, and wraps EBUSY if they say so, else EPERM.
func Run(comm int, args ...string) error {
	path, err := exec.LookPath(Name)
	if err != nil {
		return ErrMissing
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	defer unix.Close(pipe[0])
	env := []string{"LC_ALL=C"}
	files := []uintptr{0, 1, uintptr(pipe[1])}
	if comm >= 0 {
		env = append(env, fmt.Sprintf("_FUSE_COMMFD=%d", len(files)))
		files = append(files, uintptr(comm))
	}
	pid, err := syscall.ForkExec(path, append([]string{Name}, args...), &syscall.ProcAttr{Env: env, Files: files})
	unix.Close(pipe[1])
	if err != nil {
		return fmt.Errorf("start %s: %w", Name, err)
	}
	said := readAll(pipe[0])
	var status unix.WaitStatus
	for {
		if _, err = unix.Wait4(pid, &status, 0, nil); err != unix.EINTR {
			break
		}
	}
	switch {
	case err != nil:
		return fmt.Errorf("wait for %s: %w", Name, err)
	case status.ExitStatus() == 0:
		return nil
	case strings.Contains(said, "busy"):
		return fmt.Errorf("%s: %w", said, syscall.EBUSY)
	}
	return fmt.Errorf("%s: %w", said, syscall.EPERM)
}

// readAll reads a pipe to its end, but no more than one message is long.
func readAll(fd int) string {
	var text []byte
	var buf [512]byte
	for len(text) < 4096 {
		n, err := unix.Read(fd, buf[:])
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			break
		}
		text = append(text, buf[:n]...)
	}
	return strings.TrimSpace(strings.TrimPrefix(string(text), Name+": "))
}
