package main

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"uzram/test/bench/internal/binary"
	"uzram/test/bench/internal/undo"
)

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
		u.Push("uzram on "+dir, func() error { return binary.Unmount(m.binary, dir) })
		out, err := binary.Run(ctx, m.binary, nil, append(args, dir)...)
		if err != nil {
			return "", err
		}
		if !loop {
			return filepath.Join(dir, "image"), nil
		}
		return strings.TrimSpace(out), nil
	}
}
