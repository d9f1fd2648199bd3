package fusefs

import (
	"os"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// A node is computed from its id, and nothing is kept of it: so a process that
// takes the connection over serves whatever the kernel knows.
//
//	0 ... 255                                   what a mount with many devices has of its own, by row
//	((serial<<16 | number) + 1) << 8 | row      what a device has
//
// The serial tells a device from those that had its number before: a request for
// one of these finds nothing. The root has id 1 whatever it is.
const (
	rowBits    = 8
	numberBits = 16
)

// Rows of a device that are no control files.
const (
	dirRow       = 0
	imageRow     = 1
	debugRow     = 2
	queueRow     = 3
	holdersRow   = 4
	slavesRow    = 5
	subsystemRow = 6
)

// deviceID names a device for as long as the mount lives.
func deviceID(serial, number uint64) uint64 { return serial<<numberBits | number }

func nodeID(device, row uint64) uint64 { return (device+1)<<rowBits | row }

// splitNodeID undoes nodeID; for ids below 256 no device has what it returns.
func splitNodeID(id uint64) (device, row uint64) { return id>>rowBits - 1, id & (1<<rowBits - 1) }

// node is a node as a request names it.
type node struct {
	id   uint64
	disk *disk   // nil: the mount's own
	in   *layout // the device's or the mount's
	row  uint64
}

// kind is S_IFREG, S_IFDIR or S_IFLNK; 0 if there is no such node.
func (n node) kind() uint32 {
	if n.disk != nil && n.row == imageRow {
		return unix.S_IFREG
	}
	return n.in.kind(n.row)
}

func (n node) isDir() bool { return n.in.dirs[n.row] != nil }

var (
	owner     = fuse.Owner{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	startTime = time.Now()
)

// fill describes a node. An image shows all blocks as allocated: counting those in
// use would make a worker wait, and archivers take a file that shows too few for a
// hole.
func (t *tree) fill(n node, out *fuse.Attr) {
	kind := n.kind()
	out.Ino = n.id
	out.Owner = owner
	out.Nlink = 1
	switch {
	case kind == unix.S_IFDIR:
		out.Mode, out.Nlink = 0o755, 2
	case kind == unix.S_IFLNK:
		out.Mode, out.Size = 0o777, uint64(len(n.in.links[n.row]))
	case n.in.files[n.row] != nil:
		out.Mode, out.Size = n.in.files[n.row].abi.Mode, n.in.sizes[n.row]
	default:
		out.Mode, out.Size = 0o600, uint64(n.disk.dev.Size())
		out.Blocks = (out.Size + 511) / 512
		if t.top != nil {
			out.Nlink = 2
		}
	}
	out.Mode |= kind
	out.Blksize = pageSize
	out.SetTimes(&startTime, &startTime, &startTime)
}
