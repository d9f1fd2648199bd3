package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
)

// command runs a program, says so, and returns its standard output.
func command(name string, args ...string) (string, error) {
	fmt.Fprintln(os.Stderr, "+", name, strings.Join(args, " "))
	cmd := exec.Command(name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSpace(out.String()), nil
}

// mountDevice mounts a uzram of the size asked for and makes it ready to take
// the tree.
func mountDevice(c config, p place, t *tree, undo *undoList) (device, error) {
	root := os.Getuid() == 0
	args := []string{"mount", "--detach", "--algorithm", c.algorithm, "--disksize", c.size}
	if root {
		args = append(args, "--loop")
	}
	undo.add(func() error { return unmountDevice(c, p) })
	loop, err := command(c.uzram, append(args, p.device())...)
	if err != nil {
		return nil, err
	}
	if !root {
		return newPack(p, undo)
	}
	return makeDisk(p, loop, t, undo)
}

// makeDisk makes and mounts an ext4 on the loop device.
func makeDisk(p place, loop string, t *tree, undo *undoList) (device, error) {
	// Nothing is left for the kernel to initialise behind the measurement, and
	// no block is kept for root alone: the disk is the user's.
	args := []string{"-q", "-F", "-b", "4096", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0"}
	size, err := deviceBytes(p)
	if err != nil {
		return nil, err
	}
	// mkfs gives one inode for 16 KiB of disk, too few for a tree of small files.
	if inodes := int64(len(t.files)+len(t.dirs)) * 5 / 4; inodes > size/(16<<10) {
		args = append(args, "-N", strconv.FormatInt(inodes, 10))
	}
	if _, err := command("mkfs.ext4", append(args, loop)...); err != nil {
		return nil, err
	}
	if err := ensureDir(p.disk()); err != nil {
		return nil, err
	}
	// With discard a file that is deleted gives its memory back.
	if _, err := command("mount", "-t", "ext4", "-o", "discard,noatime", loop, p.disk()); err != nil {
		return nil, err
	}
	undo.add(func() error { return unmountDisk(p) })
	return disk{root: p.disk()}, nil
}

// deviceBytes is the size of the device.
func deviceBytes(p place) (n int64, err error) {
	text, err := ctldir.Open(p.device()).Read("disksize")
	if err != nil {
		return 0, err
	}
	_, err = fmt.Sscan(text, &n)
	return n, err
}
