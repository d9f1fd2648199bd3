package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/loopdev"
	"uzram/test/bench/internal/undo"
)

// daemonGrace is how long a daemon may take to end once it is unmounted.
const daemonGrace = 5 * time.Second

// startUzram mounts a device of the built binary; an empty algorithm means the
// machine's. more is further flags.
func startUzram(algorithm string, loop bool, more ...string) func(context.Context, *machine, string, *undo.Stack) (string, error) {
	return func(ctx context.Context, m *machine, dir string, u *undo.Stack) (string, error) {
		use := algorithm
		if use == "" {
			use = m.algorithm
		}
		args := []string{"mount", "--detach", "--algorithm", use, "--disksize", strconv.FormatInt(m.size, 10)}
		if loop {
			args = append(args, "--loop")
		}
		args = append(args, more...)
		daemon := -1
		u.Push("uzram on "+dir, func() error { return stopUzram(m.binary, dir, daemon) })
		out, err := command(ctx, m.binary, append(args, dir)...)
		if err != nil {
			return "", err
		}
		if daemon, err = daemonOf(ctx, m.binary, dir); err != nil || !loop {
			return filepath.Join(dir, "image"), err
		}
		return strings.TrimSpace(out), nil
	}
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

// stopUzram has the binary unmount, makes sure where that fails, and waits for
// the daemon to end.
func stopUzram(binary, dir string, daemon int) error {
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout/2)
	defer cancel()
	loops, _ := loopdev.FindByBacking(filepath.Join(dir, "image"))
	_, err := command(ctx, binary, "umount", dir)
	if err != nil {
		for _, loop := range loops {
			_ = exec.Command("losetup", "-d", loop).Run()
		}
		if errors.Is(unix.Unmount(dir, unix.MNT_DETACH), unix.EINVAL) {
			err = nil // it was never mounted
		}
	}
	if daemon < 0 {
		return err
	}
	defer unix.Close(daemon)
	// A descriptor of a process is readable once that has ended.
	ended := []unix.PollFd{{Fd: int32(daemon), Events: unix.POLLIN}}
	n, wait := unix.Poll(ended, int(daemonGrace.Milliseconds()))
	for wait == unix.EINTR {
		n, wait = unix.Poll(ended, int(daemonGrace.Milliseconds()))
	}
	if n == 0 {
		_ = unix.PidfdSendSignal(daemon, unix.SIGKILL, nil, 0)
		err = errors.Join(err, fmt.Errorf("the daemon was still there %s after unmounting, and was killed", daemonGrace))
	}
	return err
}
