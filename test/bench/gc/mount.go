package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// mounted is the image of a mount of the built binary, by O_DIRECT.
type mounted struct {
	*directio.File
	control     int // debug/control
	binary, dir string
}

// endTimeout is how long a program may take to unmount.
const endTimeout = 30 * time.Second

// newMount mounts with further variables in the environment.
func newMount(ctx context.Context, o options, cleanup *undo.Stack, env ...string) (*mounted, error) {
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return nil, err
	}
	m := &mounted{binary: binary}
	if m.dir, err = os.MkdirTemp("", "uzram-bench-"); err != nil {
		return nil, err
	}
	cleanup.Push("remove "+m.dir, func() error { return os.Remove(m.dir) })
	cleanup.Push("unmount "+m.dir, m.unmount)
	args := []string{"mount", "--detach", "--algorithm", o.algorithm, "--disksize", strconv.FormatInt(o.size, 10)}
	if o.args != "" {
		args = append(args, o.args)
	}
	if _, err := m.command(ctx, env, append(args, m.dir)...); err != nil {
		return nil, err
	}
	if m.File, err = directio.Open(filepath.Join(m.dir, "image")); err != nil {
		return nil, err
	}
	cleanup.Push("close the image", m.File.Close)
	// By a raw system call: Go's poller would ask the daemon to poll.
	control := filepath.Join(m.dir, "debug", "control")
	if m.control, err = unix.Open(control, unix.O_WRONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, &os.PathError{Op: "open", Path: control, Err: err}
	}
	cleanup.Push("close "+control, func() error { return unix.Close(m.control) })
	return m, nil
}

func (m *mounted) collect() error {
	_, err := unix.Pwrite(m.control, []byte("gc"), 0)
	return err
}

func (m *mounted) pauses() (pauses, error) {
	text, err := m.command(context.Background(), nil, "status", "--json", m.dir)
	if err != nil {
		return pauses{}, err
	}
	var st struct {
		Runtime pauses `json:"runtime"`
	}
	if err := json.Unmarshal([]byte(text), &st); err != nil {
		return pauses{}, fmt.Errorf("status --json: %w", err)
	}
	return st.Runtime, nil
}

// unmount has the binary unmount, which waits for the daemon's end, and makes sure where that fails.
func (m *mounted) unmount() error {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_, err := m.command(ctx, nil, "umount", m.dir)
	if err != nil && errors.Is(unix.Unmount(m.dir, unix.MNT_DETACH), unix.EINVAL) {
		err = nil // it was never mounted
	}
	return err
}

// command runs the binary and returns its output; what it said on stderr goes into the error.
func (m *mounted) command(ctx context.Context, env []string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, m.binary, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// What it leaves running may hold its pipes open.
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return "", fmt.Errorf("uzram %s: %w: %s", args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}
