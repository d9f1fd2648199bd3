package directio

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Chunk is the size in bytes of a transfer of Copy and Each.
const Chunk = 1 << 20

// Alloc returns n bytes that are page-aligned and in memory already, for the
// life of the process.
func Alloc(n int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes: %w", n, err)
	}
	return b, nil
}

// File is a device or file opened with O_DIRECT. Its buffers, offsets and
// lengths must be multiples of its sector size.
type File struct {
	fd   int
	path string
}

// Open opens path for reading and writing.
func Open(path string) (*File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &File{fd: fd, path: path}, nil
}

// ReadAt is io.ReaderAt by one system call: n may be short without an error.
func (f *File) ReadAt(p []byte, off int64) (n int, err error) {
	if n, err = unix.Pread(f.fd, p, off); err != nil {
		return 0, &os.PathError{Op: "read", Path: f.path, Err: err}
	}
	return n, nil
}

// WriteAt is io.WriterAt by one system call: n may be short without an error.
func (f *File) WriteAt(p []byte, off int64) (n int, err error) {
	if n, err = unix.Pwrite(f.fd, p, off); err != nil {
		return 0, &os.PathError{Op: "write", Path: f.path, Err: err}
	}
	return n, nil
}

// Close closes the file.
func (f *File) Close() error { return unix.Close(f.fd) }

// Each calls transfer for each chunk of [0, size). A short count is an error.
func Each(size int64, transfer func(off int64, n int) (int, error)) error {
	for off := int64(0); off < size; off += Chunk {
		want := int(min(Chunk, size-off))
		got, err := transfer(off, want)
		if err == nil && got != want {
			err = io.ErrShortWrite
		}
		if err != nil {
			return fmt.Errorf("%d bytes at %d, %d done: %w", want, off, got, err)
		}
	}
	return nil
}

// Fill writes data to [0, size) of w, as often as it fits.
func Fill(w io.WriterAt, data []byte, size int64) error {
	period := int64(len(data)) / Chunk * Chunk
	return Each(size, func(off int64, n int) (int, error) {
		return w.WriteAt(data[off%period:][:n], off)
	})
}

// Check reads [0, size) of r, in chunks into buf, and compares it with what Fill
// has written.
func Check(r io.ReaderAt, buf, data []byte, size int64) error {
	period := int64(len(data)) / Chunk * Chunk
	return Each(size, func(off int64, n int) (int, error) {
		got, err := r.ReadAt(buf[:n], off)
		if err == nil && string(buf[:got]) != string(data[off%period:][:got]) {
			err = fmt.Errorf("data read differ from data written")
		}
		return got, err
	})
}
