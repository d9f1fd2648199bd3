package fusefs

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// dirEntry is a name in a directory.
type dirEntry struct {
	name string
	node uint64
	kind uint32 // S_IFREG or S_IFDIR
}

// dirsOf are the directories of a mount that shows one device, by node. They
// never change, so an open directory has no state: an entry's offset is its place.
func dirsOf(device uint64) map[uint64][]dirEntry {
	debug := nodeID(device, debugRow)
	list := func(self, parent uint64, rows []row) []dirEntry {
		all := []dirEntry{{".", self, unix.S_IFDIR}, {"..", parent, unix.S_IFDIR}}
		for i := range rows {
			all = append(all, dirEntry{rows[i].abi.Name, nodeID(device, rows[i].id), unix.S_IFREG})
		}
		return all
	}
	root := list(rootID, rootID, deviceRows)
	root = append(root, dirEntry{"image", nodeID(device, imageRow), unix.S_IFREG}, dirEntry{"debug", debug, unix.S_IFDIR})
	return map[uint64][]dirEntry{rootID: root, debug: list(debug, rootID, debugRows)}
}

// serveDir answers a request of an open directory.
func (w *worker) serveDir(h inHeader, args []byte) {
	entries, ok := w.nodes.dirs[h.node]
	switch {
	case !ok:
		w.finish(h, syscall.ENOTDIR)
	case h.opcode == opOpendir:
		w.send(h, 0, putOpenOut(w.data, 0, 0, 0))
	case h.opcode == opReaddir:
		in, ok := parseIO(args)
		if !ok {
			w.finish(h, syscall.EINVAL)
			return
		}
		w.send(h, 0, putEntries(w.data[:min(in.size, maxReply)], entries, in.offset))
	default:
		w.finish(h, 0)
	}
}

// putEntries writes as many entries as there is room for, from place from on, and
// returns how long they are.
func putEntries(b []byte, entries []dirEntry, from uint64) (n int) {
	const fixed = 24
	for i := from; i < uint64(len(entries)); i++ {
		e := &entries[i]
		size := (fixed + len(e.name) + 7) &^ 7
		if n+size > len(b) {
			break
		}
		out := b[n : n+size]
		clear(out)
		binary.NativeEndian.PutUint64(out, e.node)
		binary.NativeEndian.PutUint64(out[8:], i+1)
		binary.NativeEndian.PutUint32(out[16:], uint32(len(e.name)))
		binary.NativeEndian.PutUint32(out[20:], e.kind>>12)
		copy(out[fixed:], e.name)
		n += size
	}
	return n
}
