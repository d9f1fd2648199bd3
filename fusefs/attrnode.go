package fusefs

import (
	"context"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// attrNode is a control file's attributes: a row of the tables as a file. Its
// opens are served beside the tree (filerequest.go).
type attrNode struct {
	node
	row  *row
	size uint64 // as stat shows it, whatever the text is
}

func (n *attrNode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.fill(&out.Attr, n.size, 0)
	return 0
}

func (n *attrNode) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.fill(&out.Attr, n.size, 0)
	return setattr(in)
}

var _ interface {
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeStatfser
	fs.NodeFsyncer
} = (*attrNode)(nil)
