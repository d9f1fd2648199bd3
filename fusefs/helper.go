package fusefs

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// helper mounts and unmounts for ordinary users.
const helper = "fusermount3"

// runHelper runs the helper to its end. comm is the socket that it sends the
// connection to, -1 for none. The error is the helper's own words and wraps
// EBUSY if they say so, else EPERM.
//
// It does not use package os/exec to run it, whose pipes are polled files.
func runHelper(comm int, args ...string) error {
	path, err := exec.LookPath(helper)
	if err != nil {
		return fmt.Errorf("%s, which ordinary users need to mount: %w", helper, syscall.ENOENT)
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
	pid, err := syscall.ForkExec(path, append([]string{helper}, args...), &syscall.ProcAttr{Env: env, Files: files})
	unix.Close(pipe[1])
	if err != nil {
		return fmt.Errorf("start %s: %w", helper, err)
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
		return fmt.Errorf("wait for %s: %w", helper, err)
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
	return strings.TrimSpace(strings.TrimPrefix(string(text), helper+": "))
}
