package fusefs

import (
	"bytes"
	"context"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"uzram/internal/zramabi"
)

// attrNode is a control file: a row of the tables as a file.
type attrNode struct {
	node
	row  *row
	size uint64 // as stat shows it, whatever the text is
}

// Open enforces the mode for root too, who passes the kernel's own check.
func (n *attrNode) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	access := flags & syscall.O_ACCMODE
	if access != syscall.O_WRONLY && !n.row.abi.Readable() || access != syscall.O_RDONLY && !n.row.abi.Writable() {
		return nil, 0, syscall.EACCES
	}
	if l, ok := listings[n.row.abi.Name]; ok {
		return &pageLister{disk: n.disk, listing: l}, fuse.FOPEN_DIRECT_IO, 0
	}
	return &handle{disk: n.disk, row: n.row}, fuse.FOPEN_DIRECT_IO, 0
}

func (n *attrNode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.fill(&out.Attr, n.size, 0)
	return 0
}

func (n *attrNode) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.fill(&out.Attr, n.size, 0)
	return setattr(in)
}

// handle is one open of a control file.
type handle struct {
	disk *disk
	row  *row

	mu    sync.Mutex
	text  []byte // what is being read, guarded by mu
	fresh bool   // text is there, guarded by mu
}

// Read makes the text anew at offset 0 and serves the rest from it, so that a
// reader in pieces sees one text and a re-reader from the start a new one.
func (h *handle) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if off == 0 || !h.fresh {
		text, err := h.row.show(h.disk, h.text[:0])
		h.text, h.fresh = text, err == nil
		if err != nil {
			return nil, errnoOf(err)
		}
	}
	n := 0
	if off < int64(len(h.text)) {
		n = copy(dest, h.text[off:])
	}
	return fuse.ReadResultData(dest[:n]), 0
}

// Write takes the data, cut at MaxWrite bytes, as one command, wherever the
// descriptor stands. As in C a command ends at its first NUL.
func (h *handle) Write(_ context.Context, data []byte, _ int64) (uint32, syscall.Errno) {
	data = data[:min(len(data), zramabi.MaxWrite)]
	text, _, _ := bytes.Cut(data, []byte{0})
	if err := h.row.store(h.disk, string(text)); err != nil {
		h.disk.log.Debug("refused", "file", h.row.abi.Name, "reason", err)
		return 0, errnoOf(err)
	}
	return uint32(len(data)), 0
}

var _ interface {
	fs.NodeOpener
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeStatfser
	fs.NodeFsyncer
} = (*attrNode)(nil)

var _ interface {
	fs.FileReader
	fs.FileWriter
} = (*handle)(nil)
