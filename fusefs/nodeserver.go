package fusefs

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"uzram/internal/zramabi"
)

// maxControl is how many reads and writes of control files are at work at a
// time; more wait. It bounds memory, and is more than clients have any use for.
const maxControl = 16

// nodeServer serves everything but the data of images, by go-fuse's node tree.
type nodeServer struct {
	ps      *fuse.ProtocolServer
	log     *slog.Logger
	control chan struct{}  // a token for each read or write of a control file at work
	running sync.WaitGroup // what runs aside
}

func newNodeServer(ps *fuse.ProtocolServer, log *slog.Logger) *nodeServer {
	return &nodeServer{ps: ps, log: log, control: make(chan struct{}, maxControl)}
}

// serve answers a request at once. out is room for the answer.
func (s *nodeServer) serve(c conn, h inHeader, req, out []byte) {
	switch h.opcode {
	case opReaddir, opReaddirplus, opGetxattr, opListxattr:
		limitSize(req, h.opcode, maxReply)
	}
	n, errno := s.handle(h, req, out)
	if !h.opcode.hasReply() {
		return
	}
	if n < outHeaderLen {
		sendReply(c, s.log, out[:outHeaderLen], h, errno)
		return
	}
	if err := c.write(out[:n]); err != nil && err != syscall.ENOENT && err != syscall.ENODEV {
		s.log.Error("answer not taken", "opcode", h.opcode, "bytes", n, "reason", err)
	}
}

// handle hands a request to go-fuse. A request that is no request must not end
// the process: go-fuse panics on ids that it does not know.
func (s *nodeServer) handle(h inHeader, req, out []byte) (n int, errno syscall.Errno) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("request cannot be served", "opcode", h.opcode, "node", h.node, "reason", fmt.Sprint(r))
			n, errno = 0, syscall.EIO
		}
	}()
	n, status := s.ps.HandleRequest([][]byte{req}, [][]byte{out})
	if status == fuse.OK && n == 0 {
		status = fuse.EIO
	}
	return n, syscall.Errno(status)
}

// serveControl answers a READ or WRITE of a control file beside the workers. The
// request is copied as far as it counts: a command is cut at MaxWrite bytes.
func (s *nodeServer) serveControl(c conn, h inHeader, req []byte) {
	limit := len(req)
	if h.opcode == opWrite {
		limit = min(limit, inHeaderLen+ioInLen+zramabi.MaxWrite)
	} else {
		limitSize(req, h.opcode, maxReply)
	}
	req = bytes.Clone(req[:limit])
	s.aside(func() {
		s.control <- struct{}{}
		defer func() { <-s.control }()
		s.serve(c, h, req, make([]byte, outHeaderLen+maxReply))
	})
}

// serveAside answers any other small request that may have to wait, without a
// token: control files at work may wait for it.
func (s *nodeServer) serveAside(c conn, h inHeader, req []byte) {
	req = bytes.Clone(req)
	s.aside(func() { s.serve(c, h, req, make([]byte, smallReply)) })
}

// aside runs f on a goroutine of its own, so that the worker can go on.
func (s *nodeServer) aside(f func()) { s.running.Go(f) }

// wait returns when nothing runs aside any more. No worker may be serving.
func (s *nodeServer) wait() { s.running.Wait() }
