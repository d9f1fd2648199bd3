package fusefs

import (
	"iter"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// tree answers what is asked about nodes: names, attributes, links. Opens, data
// and listings are served beside it. It has no state.
type tree struct {
	fuse.RawFileSystem // answers ENOSYS, after which the kernel does without
	devices            *devices
	device             *layout
	top                *layout // nil: the mount is the directory of its one device
}

func newTree(s *devices, device, top *layout) *tree {
	return &tree{fuse.NewDefaultRawFileSystem(), s, device, top}
}

// node is the node that has an id; false if none has.
func (t *tree) node(id uint64) (n node, ok bool) {
	if id == rootID && t.top == nil {
		d := t.devices.first()
		return node{id, d, t.device, dirRow}, d != nil
	}
	if id < 1<<rowBits {
		n = node{id, nil, t.top, id}
		return n, t.top != nil && n.kind() != 0
	}
	device, row := splitNodeID(id)
	n = node{id, t.devices.find(device), t.device, row}
	return n, n.disk != nil && n.kind() != 0
}

// of is the node of a disk's row.
func (t *tree) of(d *disk, row uint64) node {
	if row == dirRow && t.top == nil {
		return node{rootID, d, t.device, row}
	}
	return node{nodeID(d.id, row), d, t.device, row}
}

func (t *tree) own(row uint64) node { return node{row, nil, t.top, row} }

// files are the ids of all files, images first.
func (t *tree) files() iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		all := t.devices.all()
		for _, d := range all {
			if !yield(nodeID(d.id, imageRow)) {
				return
			}
		}
		if t.top != nil {
			for row, r := range t.top.files {
				if r != nil && !yield(uint64(row)) {
					return
				}
			}
		}
		for _, d := range all {
			for row, r := range t.device.files {
				if r != nil && !yield(nodeID(d.id, uint64(row))) {
					return
				}
			}
		}
	}
}

// sibling is another row's node of the same device, or of the mount.
func (t *tree) sibling(n node, row uint64) node {
	if n.disk == nil {
		return t.own(row)
	}
	return t.of(n.disk, row)
}

func (t *tree) parent(n node) node {
	if n.disk != nil && n.row == dirRow && t.top != nil {
		return t.own(blockRow)
	}
	return t.sibling(n, n.in.dirs[n.row].parent)
}

// child is what a directory has under a name; false if nothing.
func (t *tree) child(n node, name string) (node, bool) {
	switch {
	case name == ".":
		return n, true
	case name == ".." && n.isDir():
		return t.parent(n), true
	case !n.isDir():
		return node{}, false
	}
	if row, many := t.deviceRow(n); many {
		if d := t.devices.named(name); d != nil {
			return t.of(d, row), true
		}
		return node{}, false
	}
	row, ok := n.in.dirs[n.row].find(name)
	if !ok {
		return node{}, false
	}
	return t.sibling(n, row), true
}

// deviceRow is the row of which a directory has one for each device; false for all
// other directories.
func (t *tree) deviceRow(n node) (row uint64, ok bool) {
	switch {
	case n.disk != nil:
	case n.row == blockRow:
		return dirRow, true
	case n.row == devRow:
		return imageRow, true
	}
	return 0, false
}

// entry is a directory's entry at an offset, and the offset of the next one; false
// at the end. Offsets of devices follow from their numbers, so that a listing goes
// on where it was however many come and go.
func (t *tree) entry(n node, at uint64) (name string, what node, next uint64, ok bool) {
	switch at {
	case 0:
		return ".", n, 1, true
	case 1:
		return "..", t.parent(n), 2, true
	}
	if row, many := t.deviceRow(n); many {
		d := t.devices.from(at - 2)
		if d == nil {
			return "", node{}, 0, false
		}
		return d.name(), t.of(d, row), d.number() + 3, true
	}
	names := n.in.dirs[n.row].names
	if at-2 >= uint64(len(names)) {
		return "", node{}, 0, false
	}
	e := &names[at-2]
	return e.name, t.sibling(n, e.row), at + 1, true
}

// Lookup implements fuse.RawFileSystem, as do all methods below.
func (t *tree) Lookup(_ <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	n, ok := t.node(h.NodeId)
	if !ok {
		return fuse.Status(syscall.ESTALE)
	}
	c, ok := t.child(n, name)
	if !ok {
		return fuse.ENOENT
	}
	t.fill(c, &out.Attr)
	out.NodeId = c.id
	out.EntryValid, out.AttrValid = cacheSeconds, cacheSeconds
	return fuse.OK
}

func (t *tree) GetAttr(_ <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	n, ok := t.node(in.NodeId)
	if !ok {
		return fuse.Status(syscall.ESTALE)
	}
	t.fill(n, &out.Attr)
	out.AttrValid = cacheSeconds
	return fuse.OK
}

// SetAttr: owner and mode of every node are fixed. Sizes and times are accepted and
// ignored, because shells truncate what they redirect to, and as a block device
// does.
func (t *tree) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	n, ok := t.node(in.NodeId)
	switch {
	case !ok:
		return fuse.Status(syscall.ESTALE)
	case in.Valid&(fuse.FATTR_MODE|fuse.FATTR_UID|fuse.FATTR_GID) != 0:
		return fuse.EPERM
	}
	t.fill(n, &out.Attr)
	out.AttrValid = cacheSeconds
	return fuse.OK
}

func (t *tree) Readlink(_ <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	n, ok := t.node(h.NodeId)
	switch {
	case !ok:
		return nil, fuse.Status(syscall.ESTALE)
	case n.kind() != unix.S_IFLNK:
		return nil, fuse.EINVAL
	}
	return []byte(n.in.links[n.row]), fuse.OK
}

// StatFs shows the disk. The block size matters: a loop device takes it for its
// discard granularity.
func (t *tree) StatFs(_ <-chan struct{}, h *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	n, ok := t.node(h.NodeId)
	if !ok {
		return fuse.Status(syscall.ESTALE)
	}
	out.Bsize, out.Frsize, out.NameLen = pageSize, pageSize, 255
	if n.disk == nil {
		return fuse.OK
	}
	if !n.disk.users.enter() {
		return fuse.Status(syscall.ESTALE)
	}
	defer n.disk.users.leave()
	s := n.disk.dev.Stats()
	out.Blocks = s.Disksize / pageSize
	out.Bfree = (s.Disksize - min(s.Disksize, s.OrigDataSize)) / pageSize
	out.Bavail = out.Bfree
	return fuse.OK
}

// Open is for nodes that are not there, or not to be opened: the others' opens do
// not come here. The kernel looks the name up again then.
func (t *tree) Open(<-chan struct{}, *fuse.OpenIn, *fuse.OpenOut) fuse.Status {
	return fuse.Status(syscall.ESTALE)
}
