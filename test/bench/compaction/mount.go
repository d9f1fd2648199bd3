package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"uzram/test/bench/internal/binary"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// mounted is the image of a mount of the built binary, by O_DIRECT.
type mounted struct {
	*directio.File
	image, control int // for discards; of the file compact
	dir            string
}

func newMount(ctx context.Context, o options, cleanup *undo.Stack) (disk, error) {
	program, err := filepath.Abs(o.binary)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "uzram-bench-")
	if err != nil {
		return nil, err
	}
	cleanup.Push("remove "+dir, func() error { return os.Remove(dir) })
	cleanup.Push("unmount "+dir, func() error { return binary.Unmount(program, dir) })
	if _, err := binary.Run(ctx, program, nil, "mount", "--detach", "--algorithm", o.algorithm,
		"--disksize", strconv.FormatInt(o.size, 10), dir); err != nil {
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
