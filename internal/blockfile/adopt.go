package blockfile

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// Adopt makes a File of what Open made of path in another process, with the size
// that it had there. It is taken still, which is the descriptor's doing. Nothing
// is asked of a file that may not answer just now: whether it can still be read
// and written, and is as long as it was, shows when that is tried.
//
// fd is the File's from then on; after an error it is the caller's. EINVAL: fd is
// not open for reading and writing; ENOTBLK: it is no backing file.
func Adopt(fd int, path string, size int64) (*File, error) {
	f := &File{fd: fd, path: path, size: size}
	if err := f.adopt(); err != nil {
		return nil, fmt.Errorf("%s, taken over: %w", path, err)
	}
	return f, nil
}

func (f *File) adopt() error {
	flags, err := unix.FcntlInt(uintptr(f.fd), unix.F_GETFL, 0)
	if err != nil {
		return err
	}
	if flags&unix.O_ACCMODE != unix.O_RDWR {
		return fmt.Errorf("not open for reading and writing: %w", syscall.EINVAL)
	}
	f.direct = flags&unix.O_DIRECT != 0
	var st unix.Statx_t
	err = retry(func() error {
		return unix.Statx(f.fd, "", unix.AT_EMPTY_PATH|unix.AT_STATX_DONT_SYNC, unix.STATX_TYPE, &st)
	})
	if err == nil {
		err = fits(uint32(st.Mode))
	}
	if err != nil {
		return err
	}
	f.plain = st.Mode&unix.S_IFMT == unix.S_IFREG
	_, err = unix.FcntlInt(uintptr(f.fd), unix.F_SETFD, unix.FD_CLOEXEC)
	return err
}
