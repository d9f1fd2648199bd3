package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/snapshot"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

const restoreFlagName = "restore"

func restoreFlag() cli.Flag {
	return &cli.StringFlag{Name: restoreFlagName, Usage: "make the disk what `FILE` of uzram snapshot save says, settings included"}
}

// settingFlags make what a snapshot brings along.
var settingFlags = []string{"algorithm", "recomp-algorithm", "set", "mem-limit", "disksize", string(swapSafe), string(swapBesteffort)}

// parseRestore checks what can be checked of --restore without reading the file.
func (o *mountOptions) parseRestore(c *cli.Context) (err error) {
	if !c.IsSet(restoreFlagName) {
		return nil
	}
	for _, other := range settingFlags {
		if c.IsSet(other) {
			return usagef("--restore and --%s cannot be given together: the file has all settings", other)
		}
	}
	o.restore, err = filepath.Abs(c.String(restoreFlagName))
	return err
}

// openSnapshot opens a saved disk.
func openSnapshot(name string) (*os.File, uint64, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0) // a pipe must not keep us waiting
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, usagef("there is no file %s", name)
	}
	if err != nil {
		return nil, 0, err
	}
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = usagef("%s is not an ordinary file", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, uint64(st.Size()), nil
}

// verifySnapshot reads a whole file and returns its head and its length, if all of it is right.
func verifySnapshot(name string, stderr io.Writer) (h snapshot.Head, bytes uint64, err error) {
	f, bytes, err := openSnapshot(name)
	if err != nil {
		return h, 0, err
	}
	defer f.Close()
	progress := newBar(stderr, "check", bytes/pageSize)
	defer progress.clear()
	h, err = snapshot.Verify(bufio.NewReaderSize(&countedReader{r: f, seen: progress.set}, streamPiece), nil)
	for _, wrong := range []error{snapshot.ErrForeign, snapshot.ErrNewer, snapshot.ErrTruncated, snapshot.ErrDamaged} {
		if errors.Is(err, wrong) {
			var errno unix.Errno
			errors.As(err, &errno)
			what, _, _ := strings.Cut(err.Error(), ": "+errno.Error())
			return h, 0, withCode(exitFailed, fmt.Errorf("%s is %s", name, what))
		}
	}
	return h, bytes, err
}

// countedReader tells how many pages were read.
type countedReader struct {
	r     io.Reader
	bytes uint64
	seen  func(pages uint64)
}

func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.bytes += uint64(n)
	c.seen(c.bytes / pageSize)
	return n, err
}

// restoreInto makes the disk of a mount what a file says, which was verified before; "" is no file.
func restoreInto(dir ctldir.Dir, name string, stderr io.Writer) error {
	if name == "" {
		return nil
	}
	f, bytes, err := openSnapshot(name)
	if err != nil {
		return err
	}
	defer f.Close()
	progress := newBar(stderr, "restore", bytes/pageSize)
	to, err := os.OpenFile(filepath.Join(dir.Path(), "debug/restore"), os.O_WRONLY, 0)
	if err == nil {
		// Not io.Copy, which would ask the kernel to move the pages.
		buf := make([]byte, streamPiece)
		_, err = io.CopyBuffer(struct{ io.Writer }{to}, &countedReader{r: f, seen: progress.set}, buf)
		err = errors.Join(err, to.Close())
	}
	progress.clear()
	if err != nil {
		return restoreRefusal(name, err)
	}
	return nil
}

// restoreRefusal words why a device would not take a snapshot that is right in itself.
func restoreRefusal(name string, err error) error {
	for _, r := range []struct {
		errno error
		code  int
		text  string
	}{
		{unix.ENOMEM, exitFailed, "there is not enough memory for its pages"},
		{unix.EPERM, exitMissing, "it was written with writeback_encryption, which needs locked memory"},
		{unix.ENOENT, exitUsage, "its backing device is not there; --backing-dev names another"},
		{unix.ENOTBLK, exitUsage, "its backing device is neither a block device nor a file; --backing-dev names another"},
		{unix.EBUSY, exitBusy, "its backing device is used by something else, or the disk was set up meanwhile; --backing-dev names another"},
		{unix.ENOSPC, exitUsage, "its backing device has no room; --backing-dev names another"},
		{unix.EINVAL, exitUsage, "it needs an algorithm that there is not"},
		{unix.EOPNOTSUPP, exitUsage, "it needs parameters that an algorithm does not take"},
	} {
		if errors.Is(err, r.errno) {
			return withCode(r.code, fmt.Errorf("%s cannot be restored: %s", name, r.text))
		}
	}
	return fmt.Errorf("%s cannot be restored: %w", name, err)
}
