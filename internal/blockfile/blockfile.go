package blockfile

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Block is the unit of size and, with direct I/O, of offsets, lengths and
// buffer addresses, in bytes.
const Block = 4096

// File is an open backing file. ReadAt and WriteAt may be called concurrently.
type File struct {
	fd     int
	path   string
	size   int64
	direct bool
	plain  bool // no block device
}

// Open takes the block device or plain file at path for this process. Errors
// wrap what open(2) gives; ENOTBLK: neither a block device nor a plain file;
// EBUSY: somebody else has it, by O_EXCL or flock(2); EINVAL: shorter than a
// block; EISDIR: a directory, or an empty path, as in the kernel.
func Open(path string) (*File, error) {
	if path == "" {
		return nil, fmt.Errorf("no path: %w", syscall.EISDIR)
	}
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func open(path string) (*File, error) {
	// Opening a device that is none of ours may do things (a watchdog, a tape),
	// so look first.
	var st unix.Stat_t
	if err := retry(func() error { return unix.Stat(path, &st) }); err != nil {
		return nil, err
	}
	if err := fits(st.Mode); err != nil {
		return nil, err
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: abs, direct: true}
	if err := f.open(); err != nil {
		return nil, err
	}
	if err := f.take(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func fits(mode uint32) error {
	switch mode & unix.S_IFMT {
	case unix.S_IFBLK, unix.S_IFREG:
		return nil
	case unix.S_IFDIR:
		return syscall.EISDIR
	}
	return fmt.Errorf("neither a block device nor a plain file: %w", syscall.ENOTBLK)
}

// open opens the file past the page cache, or through it where its file system
// knows no other way.
func (f *File) open() error {
	flags := unix.O_RDWR | unix.O_EXCL | unix.O_NONBLOCK | unix.O_CLOEXEC
	err := retry(func() (err error) {
		f.fd, err = unix.Open(f.path, flags|unix.O_DIRECT, 0)
		return err
	})
	if errors.Is(err, syscall.EINVAL) {
		f.direct = false
		err = retry(func() (err error) {
			f.fd, err = unix.Open(f.path, flags, 0)
			return err
		})
	}
	return err
}

// take learns the size, and keeps others out of a plain file; of a block device
// O_EXCL did so.
func (f *File) take() error {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return err
	}
	if err := fits(st.Mode); err != nil {
		return err // it was replaced meanwhile
	}
	f.size = st.Size
	if f.plain = st.Mode&unix.S_IFMT == unix.S_IFREG; f.plain {
		err := retry(func() error { return unix.Flock(f.fd, unix.LOCK_EX|unix.LOCK_NB) })
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fmt.Errorf("in use: %w", syscall.EBUSY)
		}
		if err != nil {
			return err
		}
	} else {
		end, err := unix.Seek(f.fd, 0, io.SeekEnd)
		if err != nil {
			return err
		}
		f.size = end
	}
	if f.size &^= Block - 1; f.size == 0 {
		return fmt.Errorf("shorter than %d bytes: %w", Block, syscall.EINVAL)
	}
	return nil
}

// Create is New, but if something is at path already all is well.
func Create(path string, size uint64) error {
	err := New(path, size)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// New makes a sparse file of size bytes, at least a block. Only its owner may
// read it: it will hold memory. What is at path already is left as it is;
// os.ErrExist says so.
func New(path string, size uint64) error {
	if size < Block || size > math.MaxInt64 {
		return fmt.Errorf("%s: size %d, want %d to %d bytes: %w", path, size, Block, int64(math.MaxInt64), syscall.EINVAL)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := file.Truncate(int64(size)); err != nil {
		return errors.Join(err, file.Close(), os.Remove(path))
	}
	return file.Close()
}

// FD is the descriptor, which stays the File's.
func (f *File) FD() int { return f.fd }

// Path is the absolute path.
func (f *File) Path() string { return f.path }

// Size is in bytes, a multiple of Block, as it was when the file was opened.
func (f *File) Size() int64 { return f.size }

// Direct reports whether I/O goes past the page cache.
func (f *File) Direct() bool { return f.direct }

// ReadAt fills p. p, its address and off are multiples of Block.
// io.ErrUnexpectedEOF: the file has become shorter.
func (f *File) ReadAt(p []byte, off int64) (n int, err error) {
	return f.transfer(unix.Pread, p, off)
}

// WriteAt writes p. p, its address and off are multiples of Block. EIO: the file
// has become shorter. Writing would make it longer again, and what was cut off
// would read as zeros.
func (f *File) WriteAt(p []byte, off int64) (n int, err error) {
	if err := f.complete(); err != nil {
		return 0, err
	}
	return f.transfer(unix.Pwrite, p, off)
}

func (f *File) transfer(call func(int, []byte, int64) (int, error), p []byte, off int64) (n int, err error) {
	for n < len(p) {
		k, err := call(f.fd, p[n:], off+int64(n))
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return n, err
		case k == 0:
			return n, io.ErrUnexpectedEOF
		default:
			n += k
		}
	}
	return n, nil
}

func (f *File) complete() error {
	if !f.plain {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return err
	}
	if st.Size < f.size {
		return fmt.Errorf("has become shorter, %d bytes of %d: %w", st.Size, f.size, syscall.EIO)
	}
	return nil
}

// Unlock lets others take a plain file, whoever has copies of its descriptor.
func (f *File) Unlock() {
	if f.plain {
		_ = unix.Flock(f.fd, unix.LOCK_UN)
	}
}

// Close gives the file back.
func (f *File) Close() error { return unix.Close(f.fd) }

func retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
