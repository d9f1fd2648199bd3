package fusefs

import (
	"slices"
	"syscall"

	"uzram/internal/offheap"
)

// refuse answers with EIO what the dead process had taken and not answered, for a
// kernel that does not send it again. What is answered already does no harm: the
// kernel knows of no such request then. Requests that were done are left out.
func (m *Mount) refuse(old *offheap.Arena, done []*journalEntry) {
	isDone := func(unique uint64) bool {
		return slices.ContainsFunc(done, func(e *journalEntry) bool { return sameRequest(e.unique.Load(), unique) })
	}
	n := 0
	for _, b := range buffersIn(old) {
		h, ok := parseHeader(b.request)
		if ok && h.opcode.hasReply() && h.opcode != opInit && !isDone(h.unique) && m.refuseRequest(h, b.request[inHeaderLen:]) {
			n++
		}
	}
	for i := range m.state.aside {
		if unique := m.state.aside[i].Load(); unique != 0 && !isDone(unique) && m.failed(unique, syscall.EIO) {
			n++
		}
	}
	if n > 0 {
		m.log.Warn("requests in flight failed, because this kernel does not send them again", "requests", n)
	}
}

// refuseRequest answers one of a worker's; false if it was answered before.
func (m *Mount) refuseRequest(h inHeader, args []byte) bool {
	device, row := splitNodeID(h.node)
	handle, _ := parseHandle(args)
	switch {
	case device == noDevice: // the mount's own
	case row == imageRow && h.opcode == opRelease:
		// It cannot fail: the kernel has let go of the handle.
		m.state.releaseImage(handle)
		return m.failed(h.unique, 0)
	case row == imageRow && h.opcode == opOpen:
		failed := m.failed(h.unique, syscall.EIO)
		if failed {
			m.state.forgetOpen(h.unique)
		}
		return failed
	}
	return m.failed(h.unique, syscall.EIO)
}

// failed answers a request; false if the kernel does not wait for it.
func (m *Mount) failed(unique uint64, errno syscall.Errno) bool {
	msg := make([]byte, outHeaderLen)
	putOutHeader(msg, len(msg), -int32(errno), unique)
	return m.conn.write(msg) == nil
}
