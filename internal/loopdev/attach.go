package loopdev

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	controlPath = "/dev/loop-control"
	// attachTries bounds the race for a free device: between asking for one and taking it another program may be faster.
	attachTries = 64
)

// readAhead is how many bytes the kernel reads ahead of a sequential reader. It is what measured best on a disk that is
// memory: with more, a stretch has left the processor's cache before it is asked for (docs/benchmarks.md).
const readAhead = 256 << 10

// Device is a loop device attached to an image. Its methods may be called by any goroutine; the caller orders
// SetCapacity and Detach.
type Device struct {
	path  string   // /dev/loopN
	image string   // name of the image
	id    identity // zero: not known, the name has to do
}

// identity is a file as stat(2) numbers it.
type identity struct{ dev, ino uint64 }

// Path returns the name of the device, "/dev/loopN".
func (d *Device) Path() string { return d.path }

// SectorSize is that of a mount's own loop device, in bytes: a page, so that no I/O through it is a partial one.
const SectorSize = 4096

// Attach attaches a free loop device to image, an absolute name free of symbolic links, with direct I/O and sectors of
// blockSize bytes (a power of two, 512 to the page size). An image of size 0 gives a device of size 0. Errors wrap the syscall.Errno: ENOENT where the kernel has
// no loop driver, EACCES without the right to use it, ENOTTY or EINVAL before Linux 5.8.
func Attach(image string, blockSize uint32) (*Device, error) {
	ctl, err := unix.Open(controlPath, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: controlPath, Err: err}
	}
	defer unix.Close(ctl)
	for range attachTries {
		n, err := unix.IoctlRetInt(ctl, unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("ask %s for a free loop device: %w", controlPath, err)
		}
		d, err := AttachTo("/dev/loop"+strconv.Itoa(n), image, blockSize)
		if !errors.Is(err, unix.EBUSY) {
			return d, err
		}
	}
	return nil, fmt.Errorf("attach a loop device: lost the race for a free one %d times: %w", attachTries, unix.EBUSY)
}

// AttachTo is Attach to the device named path; EBUSY if that one is taken.
func AttachTo(path, image string, blockSize uint32) (*Device, error) {
	img, err := unix.Open(image, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: image, Err: err}
	}
	defer unix.Close(img)
	var st unix.Stat_t
	if err := unix.Fstat(img, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: image, Err: err}
	}
	loop, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(loop)

	cfg := unix.LoopConfig{Fd: uint32(img), Size: blockSize}
	cfg.Info.Flags = unix.LO_FLAGS_DIRECT_IO
	copy(cfg.Info.File_name[:len(cfg.Info.File_name)-1], image)
	if err := unix.IoctlLoopConfigure(loop, &cfg); err != nil {
		return nil, fmt.Errorf("attach %s to %s: %w", path, image, err)
	}
	d := &Device{path: path, image: image, id: identity{dev: uint64(st.Dev), ino: st.Ino}}
	_ = unix.IoctlSetInt(loop, unix.BLKRASET, readAhead/512) // else the kernel's own choice
	d.noWritebackThrottle()
	return d, nil
}

// noWritebackThrottle takes the block layer's writeback throttling off: it may make a writer wait that the daemon behind
// the image in turn waits for. Best effort, because kernels without that feature have no such file. What the device had when
// it was attached before is still there, and the kernel stops its queue for some milliseconds to change it.
func (d *Device) noWritebackThrottle() {
	const attr = "queue/wbt_lat_usec"
	if now, err := d.Attr(attr); err != nil || now == "0" {
		return
	}
	_ = os.WriteFile(d.sysfs(attr), []byte("0"), 0)
}

// sysfs returns the path of an attribute of the device.
func (d *Device) sysfs(attr string) string {
	return filepath.Join(sysBlock, filepath.Base(d.path), attr)
}
