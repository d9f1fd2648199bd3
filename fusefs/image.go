package fusefs

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// imageNode is the disk as a file: its opens and its attributes. Its data are
// served by the workers (imageio.go).
type imageNode struct{ node }

// imageFlags are the kernel's orders for every open of the image: cache nothing,
// and let writes run in parallel. One open without them would keep the disk
// uncompressed in the page cache and make all writers wait for each other.
const imageFlags = fuse.FOPEN_DIRECT_IO | fuse.FOPEN_PARALLEL_DIRECT_WRITES

// Open counts the image as in use. It does not look at the flags: O_TRUNC comes
// as a change of the size, which is ignored.
func (n *imageNode) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if err := n.disk.dev.Open(); err != nil {
		return nil, 0, errnoOf(err)
	}
	return imageHandle{n.disk}, imageFlags, 0
}

// imageHandle is one open of the image.
type imageHandle struct{ disk *disk }

func (h imageHandle) Release(context.Context) syscall.Errno {
	h.disk.dev.Close()
	return 0
}

// Getattr shows all blocks as allocated: counting those in use would make a
// worker wait, and archivers take a file that shows too few for a hole.
func (n *imageNode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	size := uint64(n.disk.dev.Size())
	n.fill(&out.Attr, size, size)
	return 0
}

// Setattr ignores sizes, like a block device.
func (n *imageNode) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if errno := setattr(in); errno != 0 {
		return errno
	}
	return n.Getattr(ctx, f, out)
}

var _ interface {
	fs.NodeOpener
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeStatfser
	fs.NodeFsyncer
} = (*imageNode)(nil)

var _ fs.FileReleaser = imageHandle{}
