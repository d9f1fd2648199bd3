package fusefs

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// imageNode is the disk as a file: its attributes. Opens and data are served by
// the workers.
type imageNode struct{ node }

// imageFlags are the kernel's orders for every open of the image: cache nothing,
// and let writes run in parallel. One open without them would keep the disk
// uncompressed in the page cache and make all writers wait for each other.
const imageFlags = fuse.FOPEN_DIRECT_IO | fuse.FOPEN_PARALLEL_DIRECT_WRITES

// open counts the image as in use. It does not look at the flags: O_TRUNC comes
// as a change of the size, which is ignored.
func (w *worker) open(d *disk, h inHeader) {
	handle, err := w.nodes.state.openImage(h.unique, d.number, d.dev.Open)
	errno := errnoOf(err)
	w.send(h, errno, putOpenOut(w.data, handle, imageFlags, errno))
}

func (w *worker) release(d *disk, h inHeader, args []byte) {
	if handle, ok := parseHandle(args); ok && w.nodes.state.releaseImage(handle) {
		d.dev.Close()
	}
	w.finish(h, 0)
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
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeStatfser
	fs.NodeFsyncer
} = (*imageNode)(nil)
