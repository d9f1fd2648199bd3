package fusefs

import (
	"bytes"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// maxControl is how many reads and writes of control files are at work at a
// time; more wait. It bounds memory, and is more than clients have any use for.
const maxControl = 16

// nodeServer serves everything but images: open control files, listings of
// directories, and what is asked about nodes, which go-fuse decodes for the tree.
type nodeServer struct {
	ps       *fuse.ProtocolServer
	log      *slog.Logger
	state    *connState
	files    handles
	tree     *tree
	control  chan struct{}  // a token for each read or write of a control file at work
	hotplug  chan struct{}  // the same for commands of the mount, whose hook may use control files
	ready    chan struct{}  // closed when control files may be served
	running  sync.WaitGroup // what runs aside
	commands atomic.Int64   // at work, or being answered
}

func newNodeServer(ps *fuse.ProtocolServer, t *tree, state *connState, log *slog.Logger) *nodeServer {
	return &nodeServer{
		ps: ps, log: log, state: state, tree: t,
		files:   handles{all: map[uint64]*handle{}},
		control: make(chan struct{}, maxControl),
		hotplug: make(chan struct{}, maxControl),
		ready:   make(chan struct{}),
	}
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
		failReply(c, h)
	}
}

// handle hands a request to go-fuse. A request that is no request must not end
// the process.
func (s *nodeServer) handle(h inHeader, req, out []byte) (n int, errno syscall.Errno) {
	defer func() {
		if s.failed(h, recover()) {
			n, errno = 0, syscall.EIO
		}
	}()
	n, status := s.ps.HandleRequest([][]byte{req}, [][]byte{out})
	if status == fuse.OK && n == 0 {
		status = fuse.EIO
	}
	return n, syscall.Errno(status)
}

// failed logs what a request made panic with, and tells whether it did.
func (s *nodeServer) failed(h inHeader, reason any) bool {
	if reason != nil {
		s.log.Error("request cannot be served", "opcode", h.opcode, "node", h.node, "reason", fmt.Sprint(reason))
	}
	return reason != nil
}

// serveAside answers any other small request that may have to wait, without a
// token: control files at work may wait for it.
func (s *nodeServer) serveAside(c conn, h inHeader, req []byte) {
	req = bytes.Clone(req)
	s.aside(c, h, func() { s.serve(c, h, req, make([]byte, smallReply)) })
}

// aside runs f, which answers a request, on a goroutine of its own, so that the
// worker can go on. The request is noted, since the worker's buffer is no longer
// its.
func (s *nodeServer) aside(c conn, h inHeader, f func()) {
	place := s.state.noteAside(h.unique)
	if place == nil {
		sendReply(c, s.log, make([]byte, outHeaderLen), h, syscall.EAGAIN)
		return
	}
	s.running.Go(func() {
		f()
		place.Store(0)
	})
}

// wait returns when nothing runs aside any more. No worker may be serving.
func (s *nodeServer) wait() { s.running.Wait() }
