package fusefs

import (
	"fmt"
	"log/slog"
	"runtime"
	"syscall"

	"uzram/store"
)

// worker serves requests one after another. All its methods are its own
// goroutine's.
type worker struct {
	buffers
	id      int
	conn    conn
	scratch *store.Scratch
	devices *devices
	nodes   *nodeServer
	gate    *turnstile
	log     *slog.Logger
}

// run serves until the connection ends: nil if it was unmounted.
func (w *worker) run() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer w.gate.leave()
	for {
		if w.gate.shut.Load() {
			w.gate.wait()
		}
		n, err := w.conn.read(w.request)
		if err == nil {
			w.serve(w.request[:n])
			continue
		}
		switch readOutcome(err) {
		case closed:
			return nil
		case aborted:
			w.log.Error("worker stops: the connection to the kernel broke", "worker", w.id, "reason", err)
			return fmt.Errorf("read a request: %w", err)
		}
	}
}

// serve answers one request, which lies at the start of w.request.
func (w *worker) serve(req []byte) {
	h, ok := parseHeader(req)
	if !ok {
		w.log.Error("request cut short", "bytes", len(req))
		if unique, ok := parseUnique(req); ok {
			w.send(inHeader{unique: unique}, syscall.EIO, 0)
		}
		return
	}
	if int(h.length) != len(req) {
		w.log.Error("request of wrong length", "opcode", h.opcode, "bytes", len(req), "said", h.length)
		w.finish(h, syscall.EIO)
		return
	}
	if d := w.diskOfImage(h.node); d != nil && w.serveImage(d, h, req[inHeaderLen:]) {
		return
	}
	if f, ok := w.controlFile(h.node); ok && w.serveFile(f, h, req[inHeaderLen:]) {
		return
	}
	switch h.opcode {
	case opNotifyReply: // it was asked for only to have one (retire.go)
	case opInterrupt:
		// Every request ends soon by itself, and the only answer that would
		// mean something is a demand to be interrupted again.
	case opForget, opBatchForget:
		// Nothing is kept of a node.
	case opOpendir, opReaddir, opReleasedir, opFsyncdir:
		w.serveDir(h, req[inHeaderLen:])
	case opRelease: // of a file whose device was removed: a loop device lets go of its image late
		if handle, ok := parseHandle(req[inHeaderLen:]); ok {
			w.nodes.state.releaseImage(handle)
		}
		w.releaseFile(h, req[inHeaderLen:])
	case opStatfs: // its figures are behind a lock that verbs hold
		w.nodes.serveAside(w.conn, h, req)
	default:
		w.nodes.serve(w.conn, h, req, w.reply)
	}
}

// serveImage answers a request of an image's data; false if it is none.
func (w *worker) serveImage(d *disk, h inHeader, args []byte) bool {
	switch h.opcode {
	case opOpen:
		w.open(d, h)
	case opRelease:
		w.release(d, h, args)
	case opFlush:
		w.finish(h, 0)
	case opRead:
		w.read(d, h, args)
	case opWrite:
		w.write(d, h, args)
	case opFallocate:
		w.fallocate(d, h, args)
	case opFsync:
		w.fsync(d, h)
	case opLseek:
		w.lseek(d, h, args)
	default:
		return false
	}
	return true
}

// diskOfImage is the disk whose image has that node id, nil if none has.
func (w *worker) diskOfImage(node uint64) *disk {
	device, row := splitNodeID(node)
	if row != imageRow {
		return nil
	}
	return w.devices.find(device)
}

// finish answers without data: an error, or success if errno is 0.
func (w *worker) finish(h inHeader, errno syscall.Errno) {
	if h.opcode.hasReply() {
		w.send(h, errno, 0)
	}
}

// send answers with n bytes of w.data.
func (w *worker) send(h inHeader, errno syscall.Errno, n int) {
	sendReply(w.conn, w.log, w.answer[:outHeaderLen+n], h, errno)
}

// sendReply writes the header of an answer into msg, whose data are in place,
// and sends it.
func sendReply(c conn, log *slog.Logger, msg []byte, h inHeader, errno syscall.Errno) {
	putOutHeader(msg, len(msg), -int32(errno), h.unique)
	switch err := c.write(msg); err {
	case nil:
	case syscall.ENOENT, syscall.ENODEV:
		// The client gave the request up, or the mount is gone: nobody waits.
	default:
		log.Error("answer not taken", "opcode", h.opcode, "bytes", len(msg), "reason", err)
		failReply(c, h)
	}
}

// failReply answers EIO where another answer was not taken, so that nobody waits
// for one.
func failReply(c conn, h inHeader) {
	msg := make([]byte, outHeaderLen)
	putOutHeader(msg, len(msg), -int32(syscall.EIO), h.unique)
	_ = c.write(msg)
}
