package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/loopdev"
	"uzram/test/bench/internal/undo"
	"uzram/test/internal/zramdev"
)

// sectorSize is that of all loop devices.
const sectorSize = 4096

// startZram adds a kernel device.
func startZram(_ context.Context, m *machine, _ string, u *undo.Stack) (string, error) {
	dev, err := zramdev.Add()
	if err != nil {
		return "", err
	}
	u.Push("remove "+dev.Path(), dev.Remove)
	return dev.Path(), dev.Fresh(m.algorithm, m.size)
}

// startTmpfs makes a file on a tmpfs of its own.
func startTmpfs(loop bool) func(context.Context, *machine, string, *undo.Stack) (string, error) {
	return func(_ context.Context, m *machine, dir string, u *undo.Stack) (string, error) {
		if err := unix.Mount("bench", dir, "tmpfs", 0, "size="+strconv.FormatInt(m.size+(1<<20), 10)); err != nil {
			return "", fmt.Errorf("mount tmpfs: %w", err)
		}
		u.Push("unmount "+dir, func() error { return unmount(dir) })
		image := filepath.Join(dir, "image")
		if err := os.WriteFile(image, nil, 0o600); err != nil {
			return "", err
		}
		if err := os.Truncate(image, m.size); err != nil || !loop {
			return image, err
		}
		return attach(image, u)
	}
}

// startNbdkit serves nbdkit's memory plugin as a file through nbdfuse.
func startNbdkit(loop bool) func(context.Context, *machine, string, *undo.Stack) (string, error) {
	return func(ctx context.Context, m *machine, dir string, u *undo.Stack) (string, error) {
		// nbdfuse writes its number to the pid file when the mount answers; a
		// pipe in its place lets us wait for that.
		ready := filepath.Join(filepath.Dir(dir), filepath.Base(dir)+".ready")
		if err := unix.Mkfifo(ready, 0o600); err != nil {
			return "", err
		}
		pipe, err := os.OpenFile(ready, os.O_RDWR, 0)
		if err != nil {
			return "", err
		}
		defer pipe.Close()

		var stderr bytes.Buffer
		image := filepath.Join(dir, "image")
		cmd := exec.Command("nbdfuse", "-P", ready, image,
			"[", "nbdkit", "memory", strconv.FormatInt(m.size, 10), "allocator=zstd", "]")
		cmd.Stderr = &stderr
		// A group of its own: a Ctrl-C is for us, who then take it down in order.
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			return "", err
		}
		ended := make(chan error, 1)
		go func() {
			ended <- cmd.Wait()
			pipe.SetReadDeadline(time.Now())
		}()
		u.Push("stop nbdfuse", func() error { return stopNbdkit(dir, cmd, ended) })

		if deadline, ok := ctx.Deadline(); ok {
			pipe.SetReadDeadline(deadline)
		}
		if _, err := pipe.Read(make([]byte, 32)); err != nil {
			return "", fmt.Errorf("nbdfuse does not come up: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
		}
		if !loop {
			return image, nil
		}
		return attach(image, u)
	}
}

// stopNbdkit unmounts, which ends nbdfuse and with it nbdkit; one that does not
// end is killed with its group.
func stopNbdkit(dir string, cmd *exec.Cmd, ended <-chan error) error {
	err := unmount(dir)
	if err != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		<-ended
	}
	if err != nil {
		err = unix.Unmount(dir, unix.MNT_DETACH)
	}
	if errors.Is(err, unix.EINVAL) {
		return nil // it was never mounted
	}
	return err
}

// attach puts a loop device over image.
func attach(image string, u *undo.Stack) (string, error) {
	dev, err := loopdev.Attach(image, sectorSize)
	if err != nil {
		return "", err
	}
	u.Push("detach "+dev.Path(), dev.Detach)
	return dev.Path(), nil
}

// unmount tries again for a moment, since a file just closed may still be held.
func unmount(dir string) error {
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := unix.Unmount(dir, 0)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(end) {
			return err
		}
	}
}
