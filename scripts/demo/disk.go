package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/internal/size"
)

// disk is a mounted file system.
type disk struct{ root string }

func (d disk) fits(t *tree, c config) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.root, &st); err != nil {
		return err
	}
	// Each file and each directory takes whole blocks.
	block := int64(st.Bsize)
	need := int64(len(t.dirs)) * block
	for _, f := range t.files {
		need += (f.size + block - 1) / block * block
	}
	return checkRoom(t, c, need, int64(st.Bavail)*block)
}

// checkRoom compares what the tree takes with what the device has.
func checkRoom(t *tree, c config, need, have int64) error {
	if need <= have {
		return nil
	}
	return fmt.Errorf("%s needs %s, but a device of SIZE=%s has room for %s: give a larger SIZE= or a smaller SRC=",
		t.root, size.Format(uint64(need)), c.size, size.Format(uint64(have)))
}

func (d disk) path(name string) string { return filepath.Join(d.root, name) }

func (d disk) mkdir(name string) error { return os.Mkdir(d.path(name), 0o755) }

func (d disk) create(name string) (io.WriteCloser, error) { return os.Create(d.path(name)) }

func (d disk) open(name string) (io.ReadCloser, error) { return os.Open(d.path(name)) }

func (d disk) settle() error {
	dir, err := os.Open(d.root)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := unix.Syncfs(int(dir.Fd())); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
}
