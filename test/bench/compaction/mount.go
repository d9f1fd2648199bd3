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
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// mounted is the image of a mount of the built binary, by O_DIRECT.
type mounted struct {
	*directio.File
	image, control int // for discards; of the file compact
	dir            string
}

// endTimeout is how long the daemon may take to end once it is unmounted.
const endTimeout = 10 * time.Second

func newMount(ctx context.Context, o options, cleanup *undo.Stack) (disk, error) {
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "uzram-bench-")
	if err != nil {
		return nil, err
	}
	cleanup.Push("remove "+dir, func() error { return os.Remove(dir) })
	daemon := -1
	cleanup.Push("unmount "+dir, func() error { return unmount(binary, dir, daemon) })
	if _, err := command(ctx, binary, "mount", "--detach", "--algorithm", o.algorithm,
		"--disksize", strconv.FormatInt(o.size, 10), dir); err != nil {
		return nil, err
	}
	if daemon, err = daemonOf(ctx, binary, dir); err != nil {
		return nil, err
	}
	m := &mounted{dir: dir}
	image := filepath.Join(dir, "image")
	if m.File, err = directio.Open(image); err != nil {
		return nil, err
	}
	cleanup.Push("close "+image, m.File.Close)
	if m.image, err = open(image, unix.O_RDWR, cleanup); err != nil {
		return nil, err
	}
	m.control, err = open(filepath.Join(dir, "compact"), unix.O_WRONLY, cleanup)
	return m, err
}

// open opens by a raw system call: Go's poller would ask the daemon to poll.
func open(path string, mode int, cleanup *undo.Stack) (int, error) {
	fd, err := unix.Open(path, mode|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	cleanup.Push("close "+path, func() error { return unix.Close(fd) })
	return fd, nil
}

func (m *mounted) discard(off, n int64) error {
	return unix.Fallocate(m.image, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n)
}

func (m *mounted) compact() error {
	_, err := unix.Pwrite(m.control, []byte("1"), 0)
	return err
}

// compactedField is that of mm_stat, from 0.
const compactedField = 6

func (m *mounted) compacted() (uint64, error) {
	text, err := os.ReadFile(filepath.Join(m.dir, "mm_stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) <= compactedField {
		return 0, fmt.Errorf("mm_stat %q has %d fields, want more than %d", text, len(fields), compactedField)
	}
	return strconv.ParseUint(fields[compactedField], 10, 64)
}

// daemonOf returns a descriptor of the process that serves dir.
func daemonOf(ctx context.Context, binary, dir string) (int, error) {
	out, err := command(ctx, binary, "status", "--json", dir)
	if err != nil {
		return -1, err
	}
	var status struct {
		WorkerPID int `json:"worker_pid"`
	}
	if err := json.Unmarshal([]byte(out), &status); err != nil || status.WorkerPID < 1 {
		return -1, fmt.Errorf("status --json says no worker_pid (%v): %.200q", err, out)
	}
	return unix.PidfdOpen(status.WorkerPID, 0)
}

// unmount has the binary unmount, makes sure where that fails, and waits for
// the daemon to end.
func unmount(binary, dir string, daemon int) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_, err := command(ctx, binary, "umount", dir)
	if err != nil && errors.Is(unix.Unmount(dir, unix.MNT_DETACH), unix.EINVAL) {
		err = nil // it was never mounted
	}
	if daemon < 0 {
		return err
	}
	defer unix.Close(daemon)
	// A descriptor of a process is readable once that has ended.
	ended := []unix.PollFd{{Fd: int32(daemon), Events: unix.POLLIN}}
	n, wait := unix.Poll(ended, int(endTimeout.Milliseconds()))
	for wait == unix.EINTR {
		n, wait = unix.Poll(ended, int(endTimeout.Milliseconds()))
	}
	if n == 0 {
		_ = unix.PidfdSendSignal(daemon, unix.SIGKILL, nil, 0)
		err = errors.Join(err, fmt.Errorf("the daemon was still there %s after unmounting, and was killed", endTimeout))
	}
	return err
}

// command runs a program and returns its output; what it said on stderr goes
// into the error.
func command(ctx context.Context, name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// What it leaves running may hold its pipes open.
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(name), args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}
