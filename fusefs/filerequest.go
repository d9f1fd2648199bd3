package fusefs

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"math"
	"strconv"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"uzram/internal/failpoint"
	"uzram/internal/zramabi"
)

// controlFile is a control file as a request names it.
type controlFile struct {
	disk *disk // nil: the mount's own
	row  *row
	size uint64 // as stat shows it
}

// controlFile is the control file that has a node id; false if none has.
func (w *worker) controlFile(id uint64) (controlFile, bool) {
	n, ok := w.nodes.tree.node(id)
	if !ok || n.in.files[n.row] == nil {
		return controlFile{}, false
	}
	return controlFile{disk: n.disk, row: n.in.files[n.row], size: n.in.sizes[n.row]}, true
}

// enter keeps the file's device from going away until leave; false if it is gone.
func (f controlFile) enter() bool { return f.disk == nil || f.disk.users.enter() }

func (f controlFile) leave() {
	if f.disk != nil {
		f.disk.users.leave()
	}
}

// serveFile answers a request of an open control file; false if it is none. What
// may take long runs aside.
func (w *worker) serveFile(f controlFile, h inHeader, args []byte) bool {
	switch h.opcode {
	case opOpen:
		w.openFile(f, h, args)
	case opRelease:
		w.releaseFile(h, args)
	case opRead, opWrite:
		w.nodes.useFile(w.conn, f, h, args)
	case opFlush:
		if f.row.open != nil {
			w.nodes.useFile(w.conn, f, h, args)
		} else {
			w.finish(h, 0)
		}
	case opFsync:
		w.finish(h, 0)
	case opLseek:
		w.seekFile(f, h, args)
	default:
		return false
	}
	return true
}

func (w *worker) openFile(f controlFile, h inHeader, args []byte) {
	if len(args) < 4 || !f.row.mayOpen(binary.NativeEndian.Uint32(args)) {
		w.finish(h, syscall.EACCES)
		return
	}
	handle := w.nodes.state.nextHandle()
	if f.row.open == nil {
		errno := errnoOf(w.nodes.files.open(handle, f))
		w.send(h, errno, putOpenOut(w.data, handle, fuse.FOPEN_DIRECT_IO, errno))
		return
	}
	w.nodes.aside(w.conn, h, func() {
		errno := errnoOf(w.nodes.files.open(handle, f))
		msg := make([]byte, outHeaderLen+openOutLen)
		n := putOpenOut(msg[outHeaderLen:], handle, fuse.FOPEN_DIRECT_IO, errno)
		sendReply(w.conn, w.log, msg[:outHeaderLen+n], h, errno)
	})
}

// releaseFile ends an open, whose file may be gone.
func (w *worker) releaseFile(h inHeader, args []byte) {
	var file opened
	if handle, ok := parseHandle(args); ok {
		file = w.nodes.files.take(handle)
	}
	if _, text := file.(*textFile); text || file == nil {
		w.finish(h, 0)
		return
	}
	w.nodes.aside(w.conn, h, func() {
		file.release()
		sendReply(w.conn, w.log, make([]byte, outHeaderLen), h, 0)
	})
}

// seekFile takes a control file for one of the size that stat shows, all data.
func (w *worker) seekFile(f controlFile, h inHeader, args []byte) {
	in, ok := parseLseek(args)
	size := f.size
	switch {
	case !ok || in.whence != unix.SEEK_DATA && in.whence != unix.SEEK_HOLE:
		w.finish(h, syscall.EINVAL)
		return
	case in.offset >= size:
		w.finish(h, syscall.ENXIO)
		return
	case in.whence == unix.SEEK_DATA:
		size = in.offset
	}
	binary.NativeEndian.PutUint64(w.data, size)
	w.send(h, 0, 8)
}

// useFile answers a READ, WRITE or FLUSH of a control file beside the workers.
// The request is copied as far as it counts.
func (s *nodeServer) useFile(c conn, f controlFile, h inHeader, args []byte) {
	limit := ioInLen
	if h.opcode == opWrite {
		limit += zramabi.MaxWrite
		if f.row.open != nil {
			limit = ioInLen + maxIO
		}
	}
	args = bytes.Clone(args[:min(len(args), limit)])
	s.aside(c, h, func() {
		tokens := s.control
		if f.disk == nil {
			tokens = s.hotplug
		}
		tokens <- struct{}{}
		defer func() { <-tokens }()
		<-s.ready
		if !f.enter() {
			sendReply(c, s.log, make([]byte, outHeaderLen), h, syscall.ENODEV)
			return
		}
		defer f.leave()
		if h.opcode == opRead && !f.makes(args) {
			msg, errno := s.readFile(f, h, args)
			sendReply(c, s.log, msg, h, errno)
			return
		}
		s.commands.Add(1)
		defer s.commands.Add(-1)
		e := s.state.begin(h, f.disk)
		if e == nil {
			sendReply(c, s.log, make([]byte, outHeaderLen), h, syscall.EAGAIN)
			return
		}
		if e.phase.Load() != entryDone {
			failpoint.Hit(failpoint.ControlNoted)
			n, errno := s.changeFile(f, h, args, e)
			failpoint.Hit(failpoint.ControlDone)
			e.done(n, errno)
			failpoint.Hit(failpoint.ControlJournaled)
		}
		answer(c, s.log, h, e)
		e.answered()
	})
}

// makes tells whether a READ changes something.
func (f controlFile) makes(args []byte) bool {
	in, ok := parseIO(args)
	return f.row.make != nil && ok && in.offset == 0
}

// readFile returns the answer to a READ, with room for its header.
func (s *nodeServer) readFile(f controlFile, h inHeader, args []byte) (msg []byte, errno syscall.Errno) {
	defer func() {
		if s.failed(h, recover()) {
			msg, errno = make([]byte, outHeaderLen), syscall.EIO
		}
	}()
	limit := uint32(maxReply)
	if f.row.open != nil {
		limit = maxIO
	}
	in, ok := parseIO(args)
	handle, _ := parseHandle(args)
	if !ok || in.offset > math.MaxInt64 {
		return make([]byte, outHeaderLen), syscall.EINVAL
	}
	msg = make([]byte, outHeaderLen+min(in.size, limit))
	n := 0
	file, err := s.files.get(handle, f)
	if err == nil {
		n, err = file.read(msg[outHeaderLen:], int64(in.offset))
	}
	if err != nil {
		n = 0
	}
	return msg[:outHeaderLen+n], errnoOf(err)
}

// changeFile carries out a WRITE or FLUSH and returns the bytes taken, or a READ
// that makes something and returns the bytes of its answer.
func (s *nodeServer) changeFile(f controlFile, h inHeader, args []byte, e *journalEntry) (n int, errno syscall.Errno) {
	defer func() {
		if s.failed(h, recover()) {
			n, errno = 0, syscall.EIO
		}
	}()
	handle, ok := parseHandle(args)
	if !ok {
		return 0, syscall.EINVAL
	}
	file, err := s.files.get(handle, f)
	if err != nil {
		return 0, errnoOf(err)
	}
	if h.opcode == opFlush {
		return 0, errnoOf(file.flush())
	}
	in, ok := parseIO(args)
	if !ok || in.offset > math.MaxInt64 {
		return 0, syscall.EINVAL
	}
	if t, ok := file.(*textFile); ok && h.opcode == opRead {
		e.size.Store(uint64(in.size))
		n, err := t.make(int(in.size), e)
		return n, errnoOf(err)
	}
	data := args[ioInLen:]
	e.size.Store(uint64(len(data)))
	if t, ok := file.(*textFile); ok {
		n, err = t.command(data, e)
	} else {
		n, err = file.write(data, int64(in.offset))
	}
	return n, errnoOf(err)
}

// madeText is what a READ shows that made a device with that id.
func madeText(id uint64) []byte {
	return append(strconv.AppendUint(nil, id&(1<<numberBits-1), 10), '\n')
}

// answer sends what an entry of the journal says.
func answer(c conn, log *slog.Logger, h inHeader, e *journalEntry) {
	msg := make([]byte, outHeaderLen, outHeaderLen+writeOutLen)
	errno := syscall.Errno(e.errno.Load())
	switch {
	case errno != 0:
	case h.opcode == opWrite:
		msg = binary.NativeEndian.AppendUint32(msg, uint32(e.size.Load()))
		msg = binary.NativeEndian.AppendUint32(msg, 0)
	case h.opcode == opRead:
		text := madeText(e.made.Load())
		msg = append(msg, text[:min(len(text), int(e.size.Load()))]...)
	}
	sendReply(c, log, msg, h, errno)
}
