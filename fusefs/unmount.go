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

// Unmount detaches the own loop devices and unmounts; when it returns nil, Wait
// returns soon. If something uses one of them the error is a
// *mountinfo.BusyError that names it, and everything stays up. A mount that was
// taken out of the tree ends with its last user, who may be a loop device.
func (m *Mount) Unmount() error { return m.whileOpen(m.unmount) }

func (m *Mount) unmount() error {
	there, err := m.inTree()
	if err != nil {
		return err
	}
	m.devices.mu.Lock()
	defer m.devices.mu.Unlock()
	detached, err := m.detach()
	if err == nil && there {
		err = m.unmountSoon()
	}
	if err != nil {
		for _, u := range detached {
			err = errors.Join(err, u.disk.attachAgain(u.loop))
		}
	}
	return err
}

// detachment is a loop device that was a device's own.
type detachment struct {
	disk *disk
	loop *loopdev.Device
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

// detach detaches the own loop devices unless one is used, and returns them; after
// an error, those that it had detached by then.
func (m *Mount) detach() (done []detachment, err error) {
	if len(m.loopPaths()) == 0 {
		return nil, nil
	}
	// A claim makes discards of those who have the device open fail, so it is not
	// tried in vain.
	if holders := m.holders(); len(holders) > 0 {
		return nil, &mountinfo.BusyError{Dir: m.dir, Holders: holders}
	}
	for _, d := range m.devices.all() {
		loop, err := m.detachOne(d)
		if err != nil {
			return done, err
		}
		if loop != nil {
			done = append(done, detachment{d, loop})
		}
	}
	return done, nil
}

// detachOne detaches a device's own loop device, and returns it; nil if there was
// none.
func (m *Mount) detachOne(d *disk) (*loopdev.Device, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	loop := d.loop.Load()
	if loop == nil {
		return nil, nil
	}
	claim, err := loop.Claim()
	switch {
	case errors.Is(err, loopdev.ErrTaken):
		d.forgetLoop(loop)
		return nil, nil
	case errors.Is(err, syscall.EBUSY):
		return nil, m.busy()
	case err != nil:
		return nil, err
	}
	if m.options.Multi == nil {
		if holders := m.holders(); len(holders) > 0 {
			claim.Release()
			return nil, &mountinfo.BusyError{Dir: m.dir, Holders: holders}
		}
		err = claim.Detach()
	} else if err = claim.TryDetach(detachPatience); err != nil {
		// A search through all processes for each of many devices would take long.
		claim.Release()
		if errors.Is(err, syscall.EBUSY) {
			return nil, m.busy()
		}
	}
	if err != nil {
		return nil, err
	}
	d.setLoop(nil)
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

// holders names what uses the mount, in plain words.
func (m *Mount) holders() []string { return mountinfo.Holders(m.dir, m.loopPaths()) }

func (m *Mount) busy() error { return &mountinfo.BusyError{Dir: m.dir, Holders: m.holders()} }
