package fusefs

import (
	"errors"
	"fmt"
	"syscall"

	"uzram/internal/failpoint"
	"uzram/internal/loopdev"
)

// attach gives the device its own loop device.
func (d *disk) attach() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	loop, err := loopdev.Attach(d.image, loopdev.SectorSize)
	if err != nil {
		return err
	}
	failpoint.Hit(failpoint.AddAttached)
	d.setLoop(loop)
	return nil
}

// findLoop makes the loop device that the device should have its own, which a dead
// process may have attached without noting it. A device that is being made or
// removed gets none that it has not.
func (d *disk) findLoop() error {
	found, err := loopdev.FindByBacking(d.image)
	if err != nil || len(found) == 0 {
		if d.record.phase.Load() == devicePresent {
			err = errors.Join(err, d.attach())
		}
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.setLoop(loopdev.Attached(found[0], d.image))
	d.refresh()
	return nil
}

// attachAgain takes a detach back, to the same device if it is still free.
func (d *disk) attachAgain(loop *loopdev.Device) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	again, err := loopdev.AttachTo(loop.Path(), d.image, loopdev.SectorSize)
	if errors.Is(err, syscall.EBUSY) {
		again, err = loopdev.Attach(d.image, loopdev.SectorSize)
	}
	if err != nil {
		return fmt.Errorf("attach %s again: %w", loop.Path(), err)
	}
	d.setLoop(again)
	return nil
}

// loopPath is the name of the own loop device, "" if there is none.
func (d *disk) loopPath() string {
	if loop := d.loop.Load(); loop != nil {
		return loop.Path()
	}
	return ""
}
