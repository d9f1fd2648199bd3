package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"
)

// device is where the tree goes: a file system, or the image itself.
type device interface {
	// fits returns an error that says what to change if the tree is too large.
	fits(t *tree, c config) error
	mkdir(name string) error
	create(name string) (io.WriteCloser, error)
	// settle returns when all data are on the device and no cache holds them.
	settle() error
	open(name string) (io.ReadCloser, error)
}

// copyIn copies the tree and returns the time it took, settling included.
func copyIn(ctx context.Context, t *tree, dev device) (time.Duration, error) {
	bar := newBar("copy", t.bytes)
	defer bar.close()
	buf := make([]byte, bufSize)
	start := time.Now()
	for _, d := range t.dirs {
		if err := dev.mkdir(d); err != nil {
			return 0, err
		}
	}
	for _, f := range t.files {
		if err := copyFile(ctx, t, f, dev, buf, bar); err != nil {
			return 0, fmt.Errorf("copy %s: %w", f.name, err)
		}
	}
	if err := dev.settle(); err != nil {
		return 0, err
	}
	return time.Since(start), nil
}

func copyFile(ctx context.Context, t *tree, f source, dev device, buf []byte, bar *bar) error {
	in, err := os.Open(filepath.Join(t.root, f.name))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := dev.create(f.name)
	if err != nil {
		return err
	}
	err = pump(ctx, in, out, f.size, buf, bar)
	return errors.Join(err, out.Close())
}

// verify reads the tree back and compares every checksum.
func verify(ctx context.Context, t *tree, dev device) (time.Duration, error) {
	bar := newBar("verify", t.bytes)
	defer bar.close()
	buf := make([]byte, bufSize)
	start := time.Now()
	for _, f := range t.files {
		sum, err := sumStored(ctx, f, dev, buf, bar)
		if err != nil {
			return 0, fmt.Errorf("read back %s: %w", f.name, err)
		}
		if sum != f.sum {
			return 0, fmt.Errorf("%s came back different: checksum %08x, was %08x", f.name, sum, f.sum)
		}
	}
	return time.Since(start), nil
}

func sumStored(ctx context.Context, f source, dev device, buf []byte, bar *bar) (uint32, error) {
	in, err := dev.open(f.name)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	sum := crc32.New(castagnoli)
	err = pump(ctx, in, sum, f.size, buf, bar)
	return sum.Sum32(), err
}
