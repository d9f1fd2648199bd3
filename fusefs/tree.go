package fusefs

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"uzram/internal/zramabi"
)

// Node ids are fixed: the device's number and the row within the device. The
// root of a mount has id 1 whatever it is.
const rowBits = 8

func nodeID(device, row uint64) uint64 { return (device+1)<<rowBits | row }

func splitNodeID(id uint64) (device, row uint64) { return id>>rowBits - 1, id & (1<<rowBits - 1) }

// node is what all nodes of a device have in common.
type node struct {
	fs.Inode
	disk *disk
	mode uint32 // permission bits
}

var (
	owner     = fuse.Owner{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	startTime = time.Now()
)

// fill describes a node of a size and a number of allocated bytes.
func (n *node) fill(out *fuse.Attr, size, allocated uint64) {
	out.Owner = owner
	out.Mode = n.mode | n.StableAttr().Mode
	out.Nlink = 1
	if n.IsDir() {
		out.Nlink = 2
	}
	out.Size = size
	out.Blocks = (allocated + 511) / 512
	out.Blksize = pageSize
	out.SetTimes(&startTime, &startTime, &startTime)
}

// setattr is what a change of attributes is answered with. Owner and mode of
// every node are fixed. Sizes and times are accepted and ignored, because shells
// truncate what they redirect to.
func setattr(in *fuse.SetAttrIn) syscall.Errno {
	if in.Valid&(fuse.FATTR_MODE|fuse.FATTR_UID|fuse.FATTR_GID) != 0 {
		return syscall.EPERM
	}
	return 0
}

// Statfs shows the disk. The block size matters: a loop device takes it for its
// discard granularity.
func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	s := n.disk.dev.Stats()
	out.Bsize, out.Frsize = pageSize, pageSize
	out.Blocks = s.Disksize / pageSize
	out.Bfree = (s.Disksize - min(s.Disksize, s.OrigDataSize)) / pageSize
	out.Bavail = out.Bfree
	out.NameLen = 255
	return 0
}

// Fsync has nothing to do.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno { return 0 }

// deviceDir is the directory of one device, as the root of a mount or as a child.
type deviceDir struct{ dir }

func newDeviceDir(d *disk) *deviceDir { return &deviceDir{newDir(d)} }

// OnAdd fills the directory; its nodes stay for good.
func (dd *deviceDir) OnAdd(ctx context.Context) {
	d := dd.disk
	image := &imageNode{node{disk: d, mode: 0o600}}
	dd.AddChild("image", dd.NewPersistentInode(ctx, image, fs.StableAttr{Mode: syscall.S_IFREG, Ino: nodeID(d.number, imageRow)}), false)
	addRows(ctx, &dd.Inode, d, deviceRows, zramabi.MaxWrite)

	sub := newDir(d)
	debug := dd.NewPersistentInode(ctx, &sub, fs.StableAttr{Mode: syscall.S_IFDIR, Ino: nodeID(d.number, debugRow)})
	dd.AddChild("debug", debug, false)
	addRows(ctx, debug, d, debugRows, 0)
}

// addRows makes a control file for each row, which stat shows with that size.
func addRows(ctx context.Context, parent *fs.Inode, d *disk, rows []row, size uint64) {
	for i := range rows {
		r := &rows[i]
		n := &attrNode{node: node{disk: d, mode: r.abi.Mode}, row: r, size: size}
		parent.AddChild(r.abi.Name, parent.NewPersistentInode(ctx, n, fs.StableAttr{Mode: syscall.S_IFREG, Ino: nodeID(d.number, r.id)}), false)
	}
}

// LookupNode finds a node that the kernel knows from a process before this one.
func (dd *deviceDir) LookupNode(ctx context.Context, id uint64, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	found := findNode(&dd.Inode, id)
	if found == nil {
		return nil, syscall.ESTALE
	}
	var attr fuse.AttrOut
	errno := found.Operations().(fs.NodeGetattrer).Getattr(ctx, nil, &attr)
	out.Attr = attr.Attr
	return found, errno
}

// findNode searches a directory and those in it.
func findNode(parent *fs.Inode, id uint64) *fs.Inode {
	for _, child := range parent.Children() {
		if child.StableAttr().Ino == id {
			return child
		}
		if found := findNode(child, id); found != nil {
			return found
		}
	}
	return nil
}
