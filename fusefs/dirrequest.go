package fusefs

import (
	"encoding/binary"
	"syscall"
)

// serveDir answers a request of an open directory, of which there is no state: an
// entry's place follows from what it names.
func (w *worker) serveDir(h inHeader, args []byte) {
	t := w.nodes.tree
	n, ok := t.node(h.node)
	switch {
	case h.opcode == opReleasedir || h.opcode == opFsyncdir:
		w.finish(h, 0)
	case !ok:
		w.finish(h, syscall.ESTALE)
	case !n.isDir():
		w.finish(h, syscall.ENOTDIR)
	case h.opcode == opOpendir:
		w.send(h, 0, putOpenOut(w.data, 0, 0, 0))
	case h.opcode == opReaddir:
		in, ok := parseIO(args)
		if !ok {
			w.finish(h, syscall.EINVAL)
			return
		}
		w.send(h, 0, t.putEntries(w.data[:min(in.size, maxReply)], n, in.offset))
	}
}

// putEntries writes as many entries of a directory as there is room for, from an
// offset on, and returns how long they are.
func (t *tree) putEntries(b []byte, dir node, at uint64) (n int) {
	const fixed = 24
	for {
		name, what, next, ok := t.entry(dir, at)
		size := (fixed + len(name) + 7) &^ 7
		if !ok || n+size > len(b) {
			return n
		}
		out := b[n : n+size]
		clear(out)
		binary.NativeEndian.PutUint64(out, what.id)
		binary.NativeEndian.PutUint64(out[8:], next)
		binary.NativeEndian.PutUint32(out[16:], uint32(len(name)))
		binary.NativeEndian.PutUint32(out[20:], what.kind()>>12)
		copy(out[fixed:], name)
		n += size
		at = next
	}
}
