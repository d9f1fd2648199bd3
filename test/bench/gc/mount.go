package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"

	"uzram/test/bench/internal/binary"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// mounted is the image of a mount of the built binary, by O_DIRECT.
type mounted struct {
	*directio.File
	control     int // debug/control
	binary, dir string
}

// newMount mounts with further variables in the environment.
func newMount(ctx context.Context, o options, cleanup *undo.Stack, env ...string) (*mounted, error) {
	program, err := filepath.Abs(o.binary)
	if err != nil {
		return nil, err
	}
	m := &mounted{binary: program}
	if m.dir, err = os.MkdirTemp("", "uzram-bench-"); err != nil {
		return nil, err
	}
	cleanup.Push("remove "+m.dir, func() error { return os.Remove(m.dir) })
	cleanup.Push("unmount "+m.dir, func() error { return binary.Unmount(m.binary, m.dir) })
	args := []string{"mount", "--detach", "--algorithm", o.algorithm, "--disksize", strconv.FormatInt(o.size, 10)}
	if o.args != "" {
		args = append(args, o.args)
	}
	if _, err := binary.Run(ctx, m.binary, env, append(args, m.dir)...); err != nil {
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
	text, err := binary.Run(context.Background(), m.binary, nil, "status", "--json", m.dir)
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
