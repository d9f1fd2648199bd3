package fusefs

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"

	"uzram/internal/failpoint"
	"uzram/internal/loopdev"
	"uzram/internal/offheap"
)

// Adopt serves a mount that a process before this one served, which is dead, from
// what the vault kept of it; the descriptors are the mount's from then on. o.Device
// is what AdoptDevice made of the device; o.Dir does not count. ENOENT: nothing was
// kept. After an error the mount is as it was, for another process to adopt.
//
// Where the kernel knows how to, it is asked to send the requests again that were
// not answered; where it does not, they fail with EIO.
func Adopt(o Options, fds map[string]int) (*Mount, error) {
	left, err := openLeft(fds)
	if err != nil {
		return nil, err
	}
	return adopt(o, left)
}

// FormatOf is the format of what the vault kept of a mount.
func FormatOf(fds map[string]int) (uint32, error) {
	fd, ok := fds[heldState]
	if !ok {
		return 0, fmt.Errorf("no %s was kept: %w", heldState, syscall.ENOENT)
	}
	return offheap.VersionOf(fd)
}

// left is what a dead process left behind.
type left struct {
	conn    fuseConn
	state   *offheap.Arena
	buffers *offheap.Arena
}

func openLeft(fds map[string]int) (l left, err error) {
	fd, ok := fds[heldConnection]
	if !ok {
		return l, fmt.Errorf("no connection was kept: %w", syscall.ENOENT)
	}
	l.conn = fuseConn(fd)
	for name, into := range map[string]struct {
		arena   **offheap.Arena
		purpose offheap.Purpose
	}{
		heldState:   {&l.state, offheap.ConnState},
		heldBuffers: {&l.buffers, offheap.Scratch},
	} {
		fd, ok := fds[name]
		if !ok {
			return l, fmt.Errorf("the connection was kept without its %s: %w", name, syscall.ENOENT)
		}
		if *into.arena, err = offheap.Open(fd, into.purpose); err != nil {
			return l, err
		}
	}
	return l, nil
}

func adopt(o Options, l left) (*Mount, error) {
	m := newMount(o, "")
	var err error
	if m.state, err = connStateIn(l.state); err != nil {
		return nil, err
	}
	m.dir, m.device, m.conn = m.state.mountedOn(), m.state.device.Load(), l.conn
	if err := m.useBuffers(l.buffers, o.Workers.Len()); err != nil {
		return nil, err
	}
	crew := m.newCrew(o)
	if err := crew[0].greetAgain(l.buffers); err != nil {
		return nil, err
	}
	if name := m.state.loopName(); name != "" {
		m.disk.loop.Store(loopdev.Attached(name, m.image()))
	}
	sized := m.state.verbs()
	done := m.takeOver(l.buffers)
	if l.buffers != m.buffers {
		l.buffers.Close()
	}
	m.start(crew)
	_ = m.whileOpen(func() error {
		m.settle(o, sized, done)
		return nil
	})
	close(crew[0].nodes.ready)
	return m, nil
}

// useBuffers takes the buffers that there are if they fit a crew of n, else makes
// others.
func (m *Mount) useBuffers(old *offheap.Arena, n int) error {
	m.buffers = old
	if len(old.Data()) == n*perWorker {
		return old.PopulateData(0, uint64(n*perWorker))
	}
	arena, err := newBufferArena(n)
	if err == nil {
		m.buffers = arena
	}
	return err
}

// greetAgain gives go-fuse the INIT that was agreed on, and the names that the
// kernel may know. The kernel gets an answer only if it has not had it.
func (w *worker) greetAgain(old *offheap.Arena) error {
	state := w.nodes.state
	if state.greeted.Load() == 0 {
		for _, b := range buffersIn(old) {
			if h, ok := parseHeader(b.request); ok && h.opcode == opInit && h.length <= maxInit {
				return w.welcome(h, b.request[:h.length])
			}
		}
		return w.greet()
	}
	req := w.reply[maxReply-maxInit:]
	req = req[:copy(req, state.init[:min(state.initLen.Load(), maxInit)])]
	h, _ := parseHeader(req)
	reply, err := w.initReply(h, req)
	if err != nil {
		return err
	}
	if err := w.conn.write(reply); err != nil && err != syscall.ENOENT && err != syscall.ENODEV {
		return fmt.Errorf("answer the first request again: %w", err)
	}
	failpoint.Hit(failpoint.AdoptInit)
	// Ascending, for a directory must be known before what is in it.
	for _, dir := range slices.Sorted(maps.Keys(w.nodes.dirs)) {
		for _, e := range w.nodes.dirs[dir][2:] { // behind . and ..
			if err := w.nodes.lookUp(dir, e.name); err != nil {
				return err
			}
		}
	}
	failpoint.Hit(failpoint.AdoptNamed)
	return nil
}

// lookUp makes go-fuse know a node that the kernel may know.
func (s *nodeServer) lookUp(dir uint64, name string) error {
	req := make([]byte, inHeaderLen, inHeaderLen+len(name)+1)
	req = append(append(req, name...), 0)
	binary.NativeEndian.PutUint32(req, uint32(len(req)))
	binary.NativeEndian.PutUint32(req[4:], uint32(opLookup))
	binary.NativeEndian.PutUint64(req[16:], dir)
	reply := make([]byte, smallReply)
	h, _ := parseHeader(req)
	n, errno := s.handle(h, req, reply)
	if n >= outHeaderLen {
		errno = replyErrno(reply)
	}
	if errno != 0 {
		return fmt.Errorf("look %s up: %w", name, errno)
	}
	return nil
}

// takeOver sees to what the dead process had begun, before anybody serves, and
// returns what it had done and may not have answered, if nobody will ask for it
// again.
func (m *Mount) takeOver(old *offheap.Arena) (done []*journalEntry) {
	m.state.recoverJournal(uint64(m.disk.dev.Size()), func(e *journalEntry) { done = append(done, e) })
	if !m.state.resends() {
		m.refuse(old, done)
	}
	for i := range m.state.aside {
		m.state.aside[i].Store(0)
	}
	m.state.recoverOpens(func(uint64) {
		if err := m.disk.dev.Open(); err != nil {
			m.log.Error("an open image cannot be counted", "reason", err)
		}
	})
	if m.buffers != old {
		if err := m.hold(heldBuffers, m.buffers.FD()); err != nil {
			m.log.Error("requests in flight will be lost with this process", "reason", err)
		}
	}
	if !m.state.resends() {
		return done
	}
	for _, e := range done {
		e.phase.Store(entryLeft)
	}
	m.disk.notify.resend()
	failpoint.Hit(failpoint.AdoptResend)
	return nil
}

// settle makes the kernel and the loop device know the size if the process before
// died while it may have changed it, before control files are served. Nothing here
// ends the take-over: the disk is served already.
func (m *Mount) settle(o Options, sized bool, done []*journalEntry) {
	if sized {
		m.disk.mu.Lock()
		m.disk.refresh()
		m.disk.mu.Unlock()
	}
	failpoint.Hit(failpoint.AdoptSized)
	for _, e := range done {
		h := inHeader{unique: e.unique.Load(), opcode: opcode(e.opcode.Load())}
		answer(m.conn, m.log, h, e)
		e.answered()
	}
	if !m.state.resends() {
		m.state.forgetBegun()
	}
	if !o.Loop || m.LoopPath() != "" {
		return
	}
	// A mount that was taken out of the tree, or is about to, needs none.
	there, err := m.inTree()
	if there {
		err = m.findLoop()
	}
	if err != nil {
		m.log.Error("the mount goes on without its loop device", "reason", err)
	}
}

// findLoop makes the loop device that the mount should have its own, which the
// dead process may have attached without noting it.
func (m *Mount) findLoop() error {
	found, err := loopdev.FindByBacking(m.image())
	if err != nil || len(found) == 0 {
		return errors.Join(err, m.attach())
	}
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	m.disk.setLoop(loopdev.Attached(found[0], m.image()))
	m.disk.refresh()
	return nil
}
