package fusefs

import (
	"encoding/binary"
	"errors"
	"math"
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/store"
)

// read decodes straight into the answer. As with a disk, a request with a bad
// page fails as a whole.
func (w *worker) read(d *disk, h inHeader, args []byte) {
	in, ok := parseIO(args)
	if !ok || in.size > maxIO {
		w.finish(h, syscall.EINVAL)
		return
	}
	start := d.io.begin(w.id, ioRead)
	n, err := d.dev.ReadAt(w.scratch, w.data[:in.size], int64(in.offset))
	d.io.end(w.id, ioRead, n, start)
	if err != nil {
		w.finish(h, errnoOf(err))
		return
	}
	w.send(h, 0, n)
}

// write stores the payload where it lies. A failure is an error even if some
// pages were stored before it: the loop device takes a short write for a whole
// one.
func (w *worker) write(d *disk, h inHeader, args []byte) {
	in, ok := parseIO(args)
	if !ok || uint64(in.size) != uint64(len(args)-ioInLen) {
		w.finish(h, syscall.EINVAL)
		return
	}
	start := d.io.begin(w.id, ioWrite)
	n, err := d.dev.WriteAt(w.scratch, args[ioInLen:], int64(in.offset))
	if errors.Is(err, store.ErrPastEnd) {
		d.io.drop(w.id)
		w.finish(h, errnoOf(err))
		return
	}
	d.io.end(w.id, ioWrite, n, start)
	if err != nil {
		w.finish(h, errnoOf(err))
		return
	}
	clear(w.data[:writeOutLen])
	binary.NativeEndian.PutUint32(w.data, uint32(n))
	w.send(h, 0, writeOutLen)
}

// Modes of fallocate(2) that free pages: discard and write-zeroes of the loop
// device.
const (
	punchHole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE
	zeroRange = unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE
	// zeroOrGrow would make a file longer that ends before the range does.
	zeroOrGrow = unix.FALLOC_FL_ZERO_RANGE
)

// fallocate never answers ENOSYS, after which the kernel would not ask again,
// nor EOPNOTSUPP for these modes, after which the loop device would not.
func (w *worker) fallocate(d *disk, h inHeader, args []byte) {
	in, ok := parseFalloc(args)
	switch {
	case !ok || in.offset > math.MaxInt64 || in.length > math.MaxInt64:
		w.finish(h, syscall.EINVAL)
	case in.mode != punchHole && in.mode != zeroRange && in.mode != zeroOrGrow:
		w.finish(h, syscall.EOPNOTSUPP)
	case in.mode == zeroOrGrow && in.offset+in.length > uint64(d.dev.Size()):
		w.finish(h, syscall.EINVAL) // as a block device does; success would make the kernel believe in a longer file
	default:
		w.finish(h, errnoOf(d.dev.Discard(w.scratch, int64(in.offset), int64(in.length))))
	}
}

// fsync has nothing to do: what was written is stored.
func (w *worker) fsync(d *disk, h inHeader) {
	start := d.io.begin(w.id, ioFlush)
	d.io.end(w.id, ioFlush, 0, start)
	w.finish(h, 0)
}

// lseek looks for data or a hole. It may have to walk over the whole table, so
// it runs aside.
func (w *worker) lseek(d *disk, h inHeader, args []byte) {
	in, ok := parseLseek(args)
	w.nodes.aside(w.conn, h, func() {
		msg := make([]byte, outHeaderLen+8)
		errno := syscall.EINVAL
		if ok {
			var at int64
			if at, errno = seek(d.dev, in); errno == 0 {
				binary.NativeEndian.PutUint64(msg[outHeaderLen:], uint64(at))
			}
		}
		if errno != 0 {
			msg = msg[:outHeaderLen]
		}
		sendReply(w.conn, w.log, msg, h, errno)
	})
}

// seek is lseek(2) with SEEK_DATA or SEEK_HOLE: slots in use are data. ENXIO:
// past the end, or no data behind in.offset.
func seek(dev *store.Device, in lseekIn) (int64, syscall.Errno) {
	size := dev.Size()
	if in.offset > math.MaxInt64 || int64(in.offset) >= size {
		return 0, syscall.ENXIO
	}
	from := int64(in.offset)
	slot := in.offset / store.PageSize
	at := size // where the search ended
	var err error
	switch in.whence {
	case unix.SEEK_DATA:
		err = dev.Slots(slot, func(s store.SlotState) bool {
			at = int64(s.Index) * store.PageSize
			return false
		})
		if at >= size {
			return 0, syscall.ENXIO
		}
	case unix.SEEK_HOLE:
		hole := slot
		err = dev.Slots(slot, func(s store.SlotState) bool {
			if s.Index != hole {
				return false
			}
			hole++
			return true
		})
		at = min(size, int64(hole)*store.PageSize)
	default:
		return 0, syscall.EINVAL
	}
	if errors.Is(err, store.ErrNotSetUp) { // reset meanwhile
		return 0, syscall.ENXIO
	}
	return max(at, from), errnoOf(err)
}
