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

// maxAside is how many requests of control files run at a time; more wait. It
// bounds memory and is far above what keeps the files apart from each other.
const maxAside = 16

// nodeServer serves everything but the data of images, by go-fuse's node tree.
type nodeServer struct {
	ps  *fuse.ProtocolServer
	log *slog.Logger
	run chan struct{} // one token per request that runs aside
	all sync.WaitGroup
}

func newNodeServer(ps *fuse.ProtocolServer, log *slog.Logger) *nodeServer {
	return &nodeServer{ps: ps, log: log, run: make(chan struct{}, maxAside)}
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

// serveAside answers a request that may take long, as those of control files
// may. It is copied as far as it counts: a command is cut at MaxWrite bytes.
func (s *nodeServer) serveAside(c conn, h inHeader, req []byte) {
	limit := len(req)
	switch h.opcode {
	case opWrite:
		limit = min(limit, inHeaderLen+ioInLen+zramabi.MaxWrite)
	case opRead:
		limitSize(req, h.opcode, maxReply)
	}
	req = bytes.Clone(req[:limit])
	s.aside(func() { s.serve(c, h, req, make([]byte, outHeaderLen+maxReply)) })
}

// aside runs f on a goroutine of its own, so that the worker can go on.
func (s *nodeServer) aside(f func()) {
	s.all.Go(func() {
		s.run <- struct{}{}
		defer func() { <-s.run }()
		f()
	})
}

// wait returns when nothing runs aside any more. No worker may be serving.
func (s *nodeServer) wait() { s.all.Wait() }
