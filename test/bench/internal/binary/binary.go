package binary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/loopdev"
)

// endTimeout is how long uzram umount may take, which waits for all processes of
// the mount to end.
const endTimeout = 40 * time.Second

// Run runs the program at path, with further variables in its environment, and
// returns its output; what it said on stderr goes into the error.
func Run(ctx context.Context, path string, env []string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// What it leaves running may hold its pipes open.
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
		return "", fmt.Errorf("%s %s: %w: %s", filepath.Base(path), args[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

// Unmount has the program unmount dir, and makes sure where that fails.
func Unmount(path, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	loops, _ := loopdev.FindByBacking(filepath.Join(dir, "image"))
	_, err := Run(ctx, path, nil, "umount", dir)
	if err == nil {
		return nil
	}
	for _, loop := range loops {
		_ = exec.Command("losetup", "-d", loop).Run()
	}
	if errors.Is(unix.Unmount(dir, unix.MNT_DETACH), unix.EINVAL) {
		return nil // it was never mounted
	}
	return err
}
