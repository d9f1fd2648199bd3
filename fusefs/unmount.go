package fusefs

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"uzram/internal/fusermount"
	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"
)

// sectorSize is that of the own loop device, in bytes: a page, so that no I/O
// through it is a partial one.
const sectorSize = 4096

// attach gives the mount its own loop device.
func (m *Mount) attach() error {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	loop, err := loopdev.Attach(m.image(), sectorSize)
	if err != nil {
		return err
	}
	m.disk.setLoop(loop)
	return nil
}

// Unmount detaches the own loop device and unmounts; when it returns nil, Wait
// returns soon. If something uses one of them the error is a
// *mountinfo.BusyError that names it, and everything stays up. A mount that was
// taken out of the tree ends with its last user, who may be the loop device.
func (m *Mount) Unmount() error { return m.whileOpen(m.unmount) }

func (m *Mount) unmount() error {
	there, err := m.inTree()
	if err != nil {
		return err
	}
	loop, err := m.detach()
	if err != nil || !there {
		return err
	}
	err = m.unmountSoon()
	if err == nil {
		return nil
	}
	if loop != nil {
		err = errors.Join(err, m.attachAgain(loop))
	}
	return err
}

// inTree tells whether the directory shows this mount. If it does not, what it
// shows is not ours to unmount: false if the mount was taken out of the tree
// (umount -l), EBUSY if it is covered or was moved.
func (m *Mount) inTree() (bool, error) {
	if top, err := mountinfo.Find(m.dir); err == nil && top.Dev == m.device {
		return true, nil
	}
	all, err := mountinfo.All()
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(all, func(o mountinfo.Mount) bool { return o.Dev == m.device }) {
		return false, fmt.Errorf("%s shows another file system, and this one lies elsewhere or below: %w", m.dir, syscall.EBUSY)
	}
	return false, nil
}

// detach detaches the own loop device unless it is used, and returns it; nil if
// there was none.
func (m *Mount) detach() (*loopdev.Device, error) {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	loop := m.disk.loop.Load()
	if loop == nil {
		return nil, nil
	}
	// A claim makes discards of those who have the device open fail, so it is not
	// tried in vain.
	if holders := m.holders(); len(holders) > 0 {
		return nil, &mountinfo.BusyError{Dir: m.dir, Holders: holders}
	}
	claim, err := loop.Claim()
	switch {
	case errors.Is(err, loopdev.ErrTaken):
		m.disk.forgetLoop(loop)
		return nil, nil
	case errors.Is(err, syscall.EBUSY):
		return nil, m.busy()
	case err != nil:
		return nil, err
	}
	if holders := m.holders(); len(holders) > 0 {
		claim.Release()
		return nil, &mountinfo.BusyError{Dir: m.dir, Holders: holders}
	}
	if err := claim.Detach(); err != nil {
		return nil, err
	}
	m.disk.setLoop(nil)
	return loop, nil
}

// settleTime is how long closes that are under way may take.
const settleTime = time.Second

// unmountSoon unmounts, and tries again for a moment while the kernel still lets
// go of the image on behalf of a loop device or of a process that has just ended.
func (m *Mount) unmountSoon() error {
	for end := time.Now().Add(settleTime); ; time.Sleep(5 * time.Millisecond) {
		err := fusermount.Unmount(m.dir, fusermount.Cleanly)
		if !errors.Is(err, syscall.EBUSY) {
			return err
		}
		if time.Now().After(end) || len(m.holders()) > 0 {
			return m.busy()
		}
	}
}

// attachAgain takes a detach back, to the same device if it is still free.
func (m *Mount) attachAgain(loop *loopdev.Device) error {
	m.disk.mu.Lock()
	defer m.disk.mu.Unlock()
	again, err := loopdev.AttachTo(loop.Path(), m.image(), sectorSize)
	if errors.Is(err, syscall.EBUSY) {
		again, err = loopdev.Attach(m.image(), sectorSize)
	}
	if err != nil {
		return fmt.Errorf("attach %s again: %w", loop.Path(), err)
	}
	m.disk.setLoop(again)
	return nil
}

// holders names what uses the mount, in plain words.
func (m *Mount) holders() []string { return mountinfo.Holders(m.dir, m.LoopPath()) }

func (m *Mount) busy() error { return &mountinfo.BusyError{Dir: m.dir, Holders: m.holders()} }
