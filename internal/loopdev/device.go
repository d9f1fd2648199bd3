package loopdev

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	detachTimeout = 10 * time.Second
	detachPoll    = 2 * time.Millisecond
)

// ErrTaken says that the device is no longer attached to the image: somebody detached it. It wraps ENXIO.
var ErrTaken = fmt.Errorf("loop device is no longer attached to the image: %w", unix.ENXIO)

// SetCapacity makes the device as large as the image is now. ErrTaken if it is not ours any more. It makes the kernel ask
// the image's file system for the size: a server of that file system that calls it must be able to answer meanwhile.
func (d *Device) SetCapacity() error {
	fd, err := d.openOwned(0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	// A FUSE image's size is cached in the inode, and before Linux 6.18 the ioctl takes that; so have it fetched.
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, d.image, unix.AT_STATX_FORCE_SYNC, unix.STATX_SIZE, &st); err != nil {
		return &os.PathError{Op: "statx", Path: d.image, Err: err}
	}
	if err := unix.IoctlSetInt(fd, unix.LOOP_SET_CAPACITY, 0); err != nil {
		return fmt.Errorf("set capacity of %s: %w", d.path, err)
	}
	return nil
}

// Claim is a device held exclusively: nobody can mount it or swap on it. It ends with Release or Detach.
type Claim struct {
	device *Device
	fd     int
}

// Claim takes the device for itself. EBUSY if it is mounted, used as swap or held exclusively; a mere open is no use.
// ErrTaken if it is not ours any more.
func (d *Device) Claim() (*Claim, error) {
	fd, err := d.openOwned(unix.O_EXCL)
	if err != nil {
		return nil, err
	}
	return &Claim{d, fd}, nil
}

// Flush writes out what the kernel has cached of the device, and forgets it: whoever has the device open without using it
// exclusively keeps its cache alive.
func (c *Claim) Flush() error {
	if err := unix.IoctlSetInt(c.fd, unix.BLKFLSBUF, 0); err != nil {
		return fmt.Errorf("flush %s: %w", c.device.path, err)
	}
	return nil
}

// Release lets others have the device; a claim that has ended stays so.
func (c *Claim) Release() {
	if c.fd >= 0 {
		unix.Close(c.end())
	}
}

// end returns the descriptor, which is not the claim's any more.
func (c *Claim) end() int {
	fd := c.fd
	c.fd = -1
	return fd
}

// Detach detaches the device and returns when it has let go of the image; nobody gets hold of it before. Where another
// program has it open the kernel detaches it at that program's close; EBUSY if that does not come within ten seconds.
func (c *Claim) Detach() error { return c.device.clear(c.end()) }

// TryDetach is Detach for a device that others may have open. EBUSY: one of them did not close it within patience, and it is
// attached as before, and the claim holds.
func (c *Claim) TryDetach(patience time.Duration) error {
	for end := time.Now().Add(patience); ; time.Sleep(detachPoll) {
		if err := unix.IoctlSetInt(c.fd, unix.LOOP_CLR_FD, 0); err != nil && err != unix.ENXIO {
			return fmt.Errorf("detach %s: %w", c.device.path, err)
		}
		info, err := unix.IoctlLoopGetStatus64(c.fd)
		if err == unix.ENXIO { // it goes with this descriptor
			return c.device.clear(c.end())
		}
		if err != nil {
			return fmt.Errorf("status of %s: %w", c.device.path, err)
		}
		// Somebody has it open, and the kernel has noted that it goes with the last one who closes it.
		info.Flags &^= unix.LO_FLAGS_AUTOCLEAR
		if err := unix.IoctlLoopSetStatus64(c.fd, info); err != nil {
			return fmt.Errorf("keep %s attached: %w", c.device.path, err)
		}
		if time.Now().After(end) {
			return fmt.Errorf("detach %s: some program keeps it open: %w", c.device.path, unix.EBUSY)
		}
	}
}

// Detach is Claim.Detach for a device of which the caller knows that nobody uses it. One that is not ours any more is left
// alone and no error.
func (d *Device) Detach() error {
	fd, err := d.openOwned(0)
	if errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.clear(fd)
}

// clear detaches the device by a descriptor of it, which it closes.
func (d *Device) clear(fd int) error {
	err := unix.IoctlSetInt(fd, unix.LOOP_CLR_FD, 0)
	unix.Close(fd)
	if err != nil && err != unix.ENXIO {
		return fmt.Errorf("detach %s: %w", d.path, err)
	}
	for end := time.Now().Add(detachTimeout); d.attached(); time.Sleep(detachPoll) {
		if time.Now().After(end) {
			return fmt.Errorf("detach %s: some program keeps it open: %w", d.path, unix.EBUSY)
		}
	}
	return nil
}

// attached asks sysfs, since an open of the device would itself hold the detaching up.
func (d *Device) attached() bool {
	_, err := os.Lstat(d.sysfs(backingAttr))
	return err == nil
}

// openOwned opens the device and checks that the image is behind it.
func (d *Device) openOwned(flags int) (int, error) {
	fd, err := unix.Open(d.path, unix.O_RDWR|unix.O_CLOEXEC|flags, 0)
	if err == unix.ENXIO { // the device itself was removed
		return -1, fmt.Errorf("%s: %w", d.path, ErrTaken)
	}
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: d.path, Err: err}
	}
	if err := d.owned(fd); err != nil {
		unix.Close(fd)
		return -1, fmt.Errorf("%s: %w", d.path, err)
	}
	return fd, nil
}

// owned compares what the device is attached to with the image. The kernel asks the image's file system for the identity;
// where that no longer answers, or the identity is not known, the name under which the image was opened has to do.
func (d *Device) owned(fd int) error {
	info, err := unix.IoctlLoopGetStatus64(fd)
	switch {
	case err == unix.ENXIO:
		return ErrTaken
	case err == nil && d.id != identity{}:
		if (identity{dev: info.Device, ino: info.Inode}) != d.id {
			return ErrTaken
		}
	case d.backing() != d.image:
		return ErrTaken
	}
	return nil
}

// backing returns the name of the file that the device is attached to, "" if none.
func (d *Device) backing() string {
	text, err := os.ReadFile(d.sysfs(backingAttr))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}
