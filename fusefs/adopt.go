package fusefs

import (
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"uzram/internal/failpoint"
	"uzram/internal/loopdev"
	"uzram/internal/offheap"
)

// Adopt serves a mount that a process before this one served, which is dead, from
// what the vault kept of it; the descriptors are the mount's from then on. o.Device
// is what AdoptDevice made of the one device; o.Dir does not count. ENOENT: nothing
// was kept. After an error the mount is as it was, for another process to adopt.
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
	devices *offheap.Arena
	buffers *offheap.Arena
	fds     map[string]int // of devices
}

func openLeft(fds map[string]int) (l left, err error) {
	fd, ok := fds[heldConnection]
	if !ok {
		return l, fmt.Errorf("no connection was kept: %w", syscall.ENOENT)
	}
	l.conn, l.fds = fuseConn(fd), fds
	for name, into := range map[string]struct {
		arena   **offheap.Arena
		purpose offheap.Purpose
	}{
		heldState:   {&l.state, offheap.ConnState},
		heldDevices: {&l.devices, offheap.ConnDevices},
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
	arena, err := deviceArenaIn(l.devices)
	if err != nil {
		return nil, err
	}
	m.devices = newDevices(arena)
	m.state.crew.Store(max(m.state.crew.Load(), uint64(o.Workers.Len())))
	m.dir, m.device, m.conn = m.state.mountedOn(), m.state.device.Load(), l.conn
	if err := m.useBuffers(l.buffers, o.Workers.Len()); err != nil {
		return nil, err
	}
	crew, err := m.newCrew()
	if err == nil {
		err = m.adoptDevices(l.fds)
	}
	if err == nil {
		err = crew[0].greetAgain(l.buffers)
	}
	if err != nil {
		return nil, err
	}
	sized := m.state.verbs()
	done := m.takeOver(l.buffers)
	if l.buffers != m.buffers {
		l.buffers.Close()
	}
	m.start(crew)
	_ = m.whileOpen(func() error {
		m.settle(sized, done)
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

// adoptDevices makes the devices that there are. Of one that was being made or
// removed, and of which the engine has nothing yet or any more, nothing is left.
func (m *Mount) adoptDevices(fds map[string]int) error {
	s := m.devices
	if m.options.Multi == nil {
		d := s.first()
		d.useNoted()
		return nil
	}
	for number, ok := s.next(0); ok; number, ok = s.next(number + 1) {
		record := &s.records[number]
		id := deviceID(record.serial.Load(), number)
		phase := record.phase.Load()
		if phase == deviceNone || phase == deviceGoing || phase != devicePresent && !anyOf(fds, prefix(id)) {
			m.dropAll(fds, prefix(id))
			s.give(number)
			continue
		}
		dev, err := m.options.Multi.Adopt(prefix(id), fds)
		if err != nil && phase == deviceMaking { // it was not even made
			m.dropAll(fds, prefix(id))
			s.give(number)
			continue
		}
		if err != nil {
			return fmt.Errorf("device %d: %w", number, err)
		}
		d, err := m.newDisk(dev, id)
		if err != nil {
			return err
		}
		d.useNoted()
		s.publish(d)
	}
	return nil
}

// useNoted makes the loop device that is noted the device's own.
func (d *disk) useNoted() {
	if name := d.record.loopName(); name != "" {
		loop := loopdev.Attached(name, d.image)
		d.lastDev.Store(loop.Number())
		d.loop.Store(loop)
	}
}

func anyOf(fds map[string]int, prefix string) bool {
	for name := range fds {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// dropAll gives back what was kept under names with a prefix.
func (m *Mount) dropAll(fds map[string]int, prefix string) {
	for name, fd := range fds {
		if strings.HasPrefix(name, prefix) {
			unix.Close(fd)
			delete(fds, name)
			m.vault.Drop(name)
		}
	}
}

// greetAgain gives go-fuse the INIT that was agreed on. The kernel gets an answer
// only if it has not had it.
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
	return nil
}

// takeOver sees to what the dead process had begun, before anybody serves, and
// returns what it had done and may not have answered, if nobody will ask for it
// again.
func (m *Mount) takeOver(old *offheap.Arena) (done []*journalEntry) {
	m.state.recoverJournal(m.sizeOf, m.ended, func(e *journalEntry) { done = append(done, e) })
	if !m.state.resends() {
		m.refuse(old, done)
	}
	for i := range m.state.aside {
		m.state.aside[i].Store(0)
	}
	m.state.recoverOpens(m.countOpen)
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
	m.answerOpens()
	m.notify.resend()
	failpoint.Hit(failpoint.AdoptResend)
	return nil
}

// answerOpens answers opens that were counted and perhaps not answered. They would
// be sent again, but for those whose client was killed meanwhile, as a process is
// that opens an image of its own mount: the kernel drops what it has to send, and
// what such an open counts for would never be closed. To all others it says that it
// does not wait for them.
func (m *Mount) answerOpens() {
	for i := range m.state.opens {
		p := &m.state.opens[i]
		handle := p.handle.Load()
		if handle == 0 {
			continue
		}
		for _, bit := range []uint64{0, resent} {
			msg := make([]byte, outHeaderLen+openOutLen)
			putOpenOut(msg[outHeaderLen:], handle, imageFlags, 0)
			putOutHeader(msg, len(msg), 0, p.unique.Load()&^resent|bit)
			if m.conn.write(msg) == nil {
				break
			}
		}
	}
}

// sizeOf is the size of a device's disk, 0 if it is gone.
func (m *Mount) sizeOf(device uint64) uint64 {
	if d := m.devices.find(device); d != nil {
		return uint64(d.dev.Size())
	}
	return 0
}

// ended tells whether a request that was about to make a device made it, or one
// that was about to remove it removed it.
func (m *Mount) ended(e *journalEntry) bool {
	d := m.devices.find(e.made.Load())
	if opcode(e.opcode.Load()) == opRead {
		return d != nil && d.record.phase.Load() == devicePresent
	}
	return d == nil
}

func (m *Mount) countOpen(device uint64) {
	d := m.devices.find(device)
	if d == nil {
		return
	}
	if err := d.dev.Open(); err != nil {
		d.log.Error("an open image cannot be counted", "reason", err)
	}
}

// settle makes the kernel and loop devices know the sizes if the process before
// died while it may have changed them, and ends what it had begun with devices,
// before control files are served. Nothing here ends the take-over: disks are
// served already.
func (m *Mount) settle(sized []uint64, done []*journalEntry) {
	for _, id := range sized {
		if d := m.devices.find(id); d != nil {
			d.mu.Lock()
			d.refresh()
			d.mu.Unlock()
		}
	}
	failpoint.Hit(failpoint.AdoptSized)
	for _, e := range done {
		h := inHeader{unique: e.unique.Load(), opcode: opcode(e.opcode.Load())}
		answer(m.conn, m.log, h, e)
		e.answered()
	}
	m.settleLoops()
	m.settleDevices()
	if !m.state.resends() {
		m.state.forgetBegun()
	}
}

// settleLoops gives the devices the loop devices that they should have.
func (m *Mount) settleLoops() {
	if !m.options.Loop {
		return
	}
	// A mount that was taken out of the tree, or is about to, needs none.
	there, err := m.inTree()
	for _, d := range m.devices.all() {
		if there && err == nil && d.loop.Load() == nil {
			if ferr := d.findLoop(); ferr != nil {
				d.log.Error("the device goes on without its loop device", "reason", ferr)
			}
		}
	}
	if err != nil {
		m.log.Error("devices may go on without their loop devices", "reason", err)
	}
}

// settleDevices takes away what was being made, and what was being removed, and
// notes in the journal what came of the latter.
func (m *Mount) settleDevices() {
	m.devices.mu.Lock()
	defer m.devices.mu.Unlock()
	for _, d := range m.devices.all() {
		var err error
		switch d.record.phase.Load() {
		case deviceMaking, deviceHooking:
			err = m.undoAdd(d)
		case deviceRemoving:
			if err = m.remove(d, &journalEntry{}); err != nil {
				d.record.phase.Store(devicePresent)
			}
		}
		if err != nil {
			d.log.Warn("not removed", "reason", err)
		}
	}
	m.state.recoverMade(m.ended)
}
