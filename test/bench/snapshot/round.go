package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"uzram/test/bench/internal/binary"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// round is a disk that is filled, saved, and restored on another mount.
type round struct {
	options
	dir       string
	data, buf []byte
	undo      *undo.Stack
}

const mib = 1 << 20

func (r *round) run(ctx context.Context, f *figures) error {
	file := filepath.Join(r.dir, "snapshot")
	mem, err := r.save(ctx, f, file)
	if err != nil {
		return err
	}
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	f.memory = append(f.memory, mem/mib)
	f.file = append(f.file, float64(st.Size())/mib)
	f.spread = append(f.spread, float64(st.Size())/mem)
	if err := r.alone(f, filepath.Join(r.dir, "alone"), st.Size()); err != nil {
		return err
	}
	return r.restore(ctx, f, file)
}

// save saves a full disk and returns mem_used_total in bytes.
func (r *round) save(ctx context.Context, f *figures, file string) (mem float64, err error) {
	_, err = r.mounted(ctx, []string{"--algorithm", f.algorithm, "--disksize", strconv.FormatInt(r.mib, 10) + "M"}, func(dir string) error {
		image, err := directio.Open(filepath.Join(dir, "image"))
		if err != nil {
			return err
		}
		err = directio.Fill(image, r.data, r.mib*mib)
		if cerr := image.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
		if mem, err = usedTotal(dir); err != nil {
			return err
		}
		took, err := r.uzram(ctx, "snapshot", "save", dir, file)
		f.save = append(f.save, took)
		f.saveSpeed = append(f.saveSpeed, float64(r.mib)/took)
		return err
	})
	return mem, err
}

func (r *round) restore(ctx context.Context, f *figures, file string) error {
	took, err := r.mounted(ctx, []string{"--restore", file}, func(dir string) error {
		image, err := directio.Open(filepath.Join(dir, "image"))
		if err != nil {
			return err
		}
		err = directio.Check(image, r.buf, r.data, r.mib*mib)
		if cerr := image.Close(); err == nil {
			err = cerr
		}
		return err
	})
	f.restore = append(f.restore, took)
	f.restoreSpeed = append(f.restoreSpeed, float64(r.mib)/took)
	return err
}

// mounted mounts a disk for as long as use works on it, and returns how many
// seconds the mounting took.
func (r *round) mounted(ctx context.Context, flags []string, use func(dir string) error) (took float64, err error) {
	dir, err := os.MkdirTemp(r.dir, "mount-")
	if err != nil {
		return 0, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return 0, err
	}
	args := append([]string{"mount", "--detach", "--log", filepath.Join(r.dir, "log")}, flags...)
	if took, err = r.uzram(ctx, append(args, dir)...); err != nil {
		return 0, err
	}
	gone := false
	unmount := func() error {
		if gone {
			return nil
		}
		gone = true
		return binary.Unmount(r.binary, dir)
	}
	r.undo.Push("unmount "+dir, unmount)
	if err := use(dir); err != nil {
		return 0, err
	}
	return took, unmount()
}

// uzram runs the program and returns how many seconds it took.
func (r *round) uzram(ctx context.Context, args ...string) (seconds float64, err error) {
	start := time.Now()
	_, err = binary.Run(ctx, r.binary, nil, args...)
	return time.Since(start).Seconds(), err
}

// usedTotal is the third figure of mm_stat.
func usedTotal(dir string) (float64, error) {
	text, err := os.ReadFile(filepath.Join(dir, "mm_stat"))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 3 {
		return 0, fmt.Errorf("mm_stat is %q", text)
	}
	return strconv.ParseFloat(fields[2], 64)
}

// alone writes a file of so many bytes until it is on the disk, and reads it.
func (r *round) alone(f *figures, name string, size int64) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	defer file.Close()
	start := time.Now()
	for left := size; left > 0 && err == nil; left -= int64(directio.Chunk) {
		_, err = file.Write(r.data[:min(left, directio.Chunk)])
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return err
	}
	f.write = append(f.write, time.Since(start).Seconds())
	start = time.Now()
	if _, err = file.Seek(0, io.SeekStart); err == nil {
		_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{file}, r.buf)
	}
	f.read = append(f.read, time.Since(start).Seconds())
	return err
}
