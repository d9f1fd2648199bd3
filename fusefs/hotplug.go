package fusefs

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"uzram/internal/failpoint"
	"uzram/internal/loopdev"
	"uzram/internal/zramabi"
	"uzram/store"
)

// hotAdd is a read of hot_add.
func (m *Mount) hotAdd(e *journalEntry) ([]byte, error) {
	d, err := m.add(e)
	if err != nil {
		m.log.Error("no device added", "reason", err)
		return nil, err
	}
	return madeText(d.id), nil
}

// hotRemove is a write to hot_remove.
func (m *Mount) hotRemove(_ *disk, text string, e *journalEntry) error {
	number, err := zramabi.ParseU10(text, 31)
	if err != nil {
		return err
	}
	m.devices.mu.Lock()
	defer m.devices.mu.Unlock()
	d := m.devices.at(number)
	if d == nil {
		return fmt.Errorf("there is no device %d: %w", number, syscall.ENODEV)
	}
	if err = m.remove(d, e); err != nil {
		m.log.Debug("not removed", "device", d.name(), "reason", err)
	}
	return err
}

// prefix begins the names under which the vault keeps a device.
func prefix(id uint64) string {
	return fmt.Sprintf("d%d.%d.", id&(1<<numberBits-1), id>>numberBits)
}

// add makes a device with the lowest number that is free. The moment from which it
// counts is that of its phase; before, e says that this request made it.
func (m *Mount) add(e *journalEntry) (*disk, error) {
	s := m.devices
	s.mu.Lock()
	defer s.mu.Unlock()
	number, err := s.lowest()
	if err == nil {
		err = s.back(number, m.state.crew.Load())
	}
	if err != nil {
		return nil, err
	}
	id := deviceID(s.serials.Add(1)-1, number)
	record := s.take(number, id>>numberBits)
	failpoint.Hit(failpoint.AddRecorded)
	dev, err := m.options.Multi.New(prefix(id))
	if err != nil {
		s.give(number)
		return nil, err
	}
	d, err := m.newDisk(dev, id)
	if err != nil {
		err = errors.Join(err, dev.Retire())
		s.give(number)
		return nil, err
	}
	failpoint.Hit(failpoint.AddHeld)
	s.publish(d)
	if m.options.Loop {
		err = d.attach()
	}
	if err == nil {
		err = m.hookAdd(d)
	}
	if err != nil {
		return nil, errors.Join(err, m.undoAdd(d))
	}
	e.made.Store(id)
	failpoint.Hit(failpoint.AddNoted)
	record.phase.Store(devicePresent)
	failpoint.Hit(failpoint.AddPresent)
	return d, nil
}

// hookAdd tells the hook of a device that stands.
func (m *Mount) hookAdd(d *disk) error {
	if m.options.Multi.Hook == nil {
		return nil
	}
	d.record.phase.Store(deviceHooking)
	err := m.hook("add", d)
	failpoint.Hit(failpoint.AddHooked)
	return err
}

// hook runs the hook, if there is one. What it says wraps EIO.
func (m *Mount) hook(action string, d *disk) error {
	run := m.options.Multi.Hook
	if run == nil {
		return nil
	}
	if err := run(action, d.name(), d.lastDevNumber()); err != nil {
		return fmt.Errorf("hook %s %s: %v: %w", action, d.name(), err, syscall.EIO)
	}
	return nil
}

// undoAdd takes away a device that did not come about. One that somebody uses
// already stays.
func (m *Mount) undoAdd(d *disk) error {
	told := d.record.phase.Load() == deviceHooking
	d.mu.Lock()
	defer d.mu.Unlock()
	claim, err := d.seize()
	if err == nil {
		if told {
			if err := m.hook("remove", d); err != nil {
				m.log.Error("the hook may not have undone what it did", "reason", err)
			}
		}
		if err = d.letGo(claim); err == nil {
			m.finish(d)
			return nil
		}
		if told {
			if err := m.hook("add", d); err != nil {
				m.log.Error("the hook was told that a device goes, which stays", "reason", err)
			}
		}
		d.dev.Unclaim()
	}
	d.record.phase.Store(devicePresent)
	return fmt.Errorf("%s stays, for it is in use: %w", d.name(), err)
}

// remove takes a device away. From the phase on a process that takes over does
// what is left of it, unless somebody uses the device by then; e says before that
// it is for this request.
func (m *Mount) remove(d *disk, e *journalEntry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	claim, err := d.seize()
	if err != nil {
		return err
	}
	e.made.Store(d.id)
	d.record.phase.Store(deviceRemoving)
	failpoint.Hit(failpoint.RemoveSeized)
	err = m.hook("remove", d)
	failpoint.Hit(failpoint.RemoveHooked)
	if err == nil {
		if err = d.letGo(claim); err == nil {
			m.finish(d)
			return nil
		}
		claim = nil
		if err := m.hook("add", d); err != nil {
			m.log.Error("the hook was told that a device goes, which stays", "reason", err)
		}
	}
	d.record.phase.Store(devicePresent)
	e.made.Store(noDevice)
	if claim != nil {
		claim.Release()
	}
	d.dev.Unclaim()
	return err
}

// detachPatience is how long a loop device may be open elsewhere for a moment, as
// device managers do.
const detachPatience = time.Second

// seize keeps everybody from using the device, with mu held: its image, but for the
// own loop device, of which it returns a claim, nil if there is none.
func (d *disk) seize() (claim *loopdev.Claim, err error) {
	own := 0
	if loop := d.loop.Load(); loop != nil {
		claim, err = loop.Claim()
		switch {
		case errors.Is(err, loopdev.ErrTaken):
			d.forgetLoop(loop)
		case err != nil:
			return nil, err
		default:
			own = 1
		}
	}
	if err := d.dev.Claim(own); err != nil {
		if claim != nil {
			claim.Release()
		}
		return nil, err
	}
	return claim, nil
}

// letGo detaches the own loop device of a device that is seized. EBUSY: another
// program has it open, and it is as it was; the claim of it is gone in any case.
func (d *disk) letGo(claim *loopdev.Claim) error {
	if claim == nil {
		return nil
	}
	if err := claim.TryDetach(detachPatience); err != nil {
		claim.Release()
		return err
	}
	failpoint.Hit(failpoint.RemoveDetached)
	d.setLoop(nil)
	return nil
}

// finish gives back all that a device has, which is seized and has no loop device.
// mu is held, but not while it waits for those who came before: they may want it,
// and find that the device is gone.
func (m *Mount) finish(d *disk) {
	d.record.phase.Store(deviceGoing)
	m.devices.withdraw(d)
	d.users.close()
	d.mu.Unlock()
	defer d.mu.Lock()
	for _, dir := range []uint64{blockRow, devRow} {
		m.notify.removed(dir, d.name())
	}
	failpoint.Hit(failpoint.RemoveForgotten)
	for err := d.dev.ResetClaimed(); errors.Is(err, store.ErrRestoring); err = d.dev.ResetClaimed() {
		time.Sleep(10 * time.Millisecond) // it ends, for the users were told to
	}
	d.users.wait()
	if err := d.dev.ResetClaimed(); err != nil { // what one of them has set up meanwhile
		m.log.Error("a removed device is not reset", "device", d.name(), "reason", err)
	}
	if err := d.dev.Retire(); err != nil {
		m.log.Error("memory of a removed device is not given back", "device", d.name(), "reason", err)
	}
	failpoint.Hit(failpoint.RemoveDropped)
	m.devices.give(d.number())
	failpoint.Hit(failpoint.RemoveGone)
}
