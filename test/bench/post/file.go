package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"uzram/internal/blockfile"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// backingFile is where pages are written back to.
type backingFile struct {
	path string
	size int64
}

// newFile makes the file in a new directory below dir. Memory for a disk would
// compare memory with memory; tmpfs allows it.
func newFile(dir string, size int64, tmpfs bool, cleanup *undo.Stack) (*backingFile, error) {
	dir, err := os.MkdirTemp(dir, "bench-post-")
	if err != nil {
		return nil, err
	}
	cleanup.Push("remove the backing file", func() error { return os.RemoveAll(dir) })
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return nil, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	if !tmpfs && (st.Type == unix.TMPFS_MAGIC || st.Type == unix.RAMFS_MAGIC) {
		return nil, fmt.Errorf("%s is memory: give a directory on a disk with -dir, or -tmpfs", dir)
	}
	f := &backingFile{path: filepath.Join(dir, "backing"), size: size}
	return f, f.fresh()
}

// fresh makes the file sparse and empty.
func (f *backingFile) fresh() error {
	if err := os.Remove(f.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return blockfile.Create(f.path, uint64(f.size))
}

// raw writes the first n bytes of the file in requests of size bytes in
// sequence, depth at a time, and returns how long that took.
func (f *backingFile) raw(data []byte, n int64, size, depth int) (took time.Duration, err error) {
	file, err := blockfile.Open(f.path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if !file.Direct() {
		return 0, fmt.Errorf("%s: its file system has no direct I/O", f.path)
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, depth)
	start := time.Now()
	for k := range depth {
		wg.Go(func() {
			for errs[k] == nil {
				off := next.Add(int64(size)) - int64(size)
				if off >= n {
					return
				}
				from := off % int64(len(data)/directio.Chunk*directio.Chunk)
				_, errs[k] = file.WriteAt(data[from:][:min(int64(size), n-off)], off)
			}
		})
	}
	wg.Wait()
	return time.Since(start), errors.Join(errs...)
}

// allocated reports whether all of the file has blocks.
func (f *backingFile) allocated() (bool, error) {
	var st unix.Stat_t
	if err := unix.Stat(f.path, &st); err != nil {
		return false, &os.PathError{Op: "stat", Path: f.path, Err: err}
	}
	return st.Blocks*512 >= f.size, nil
}
