package fusefs

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"

	"uzram/internal/failpoint"
	"uzram/internal/loopdev"
	"uzram/internal/status"
	"uzram/store"
)

// disk is one device as the mount serves it.
type disk struct {
	id     uint64 // node ids follow from it
	image  string // path
	dev    *store.Device
	io     *ioStats
	record *deviceRecord
	notify notifier
	log    *slog.Logger
	users  users // who may look at the device without having its image open

	about   func() status.Status           // for debug/status
	control func(string, []string) error   // verbs of debug/control; nil = none
	loop    atomic.Pointer[loopdev.Device] // the own loop device, nil = none; stored under mu

	lastDev atomic.Uint64 // its number, of the last one that there was

	mu sync.Mutex // held while the size or the loop device changes, until they agree
}

// number is the device's among those that there are.
func (d *disk) number() uint64 { return d.id & (1<<numberBits - 1) }

// errGone is for who comes too late to a device that is removed.
var errGone = fmt.Errorf("the device was removed: %w", syscall.ENODEV)

// setSize sets the device up. When it returns, the kernel and the own loop
// device know the size.
func (d *disk) setSize(bytes uint64, e *journalEntry) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users.shutOut() {
		return errGone
	}
	if !d.dev.Initialised() {
		e.setUp.Store((bytes + pageSize - 1) &^ (pageSize - 1))
	}
	if err := d.dev.SetDisksize(bytes); err != nil {
		return err
	}
	d.refresh()
	failpoint.Hit(failpoint.DisksizeTold)
	return nil
}

// reset gives everything back. EBUSY if the image is open; where the opener is
// the own loop device, if that one is mounted, used as swap or held exclusively.
func (d *disk) reset() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users.shutOut() {
		return errGone
	}
	claim, err := d.seize()
	if err != nil {
		return err
	}
	defer d.dev.Unclaim()
	flush := func() {}
	if claim != nil {
		defer claim.Release()
		flush = func() {
			if err := claim.Flush(); err != nil {
				d.log.Error("the loop device may keep old data", "reason", err)
			}
		}
	}
	flush() // or the kernel would write to a disk that is gone
	if err := d.dev.ResetClaimed(); err != nil {
		return err
	}
	d.io.clear()
	d.refresh()
	flush() // what was written or read meanwhile is not the next disk's
	return nil
}

// refresh tells the kernel and the own loop device the size. It cannot undo what
// changed the size, so a failure is reported and no more.
func (d *disk) refresh() {
	d.notify.resized(nodeID(d.id, imageRow), d.dev.Size())
	loop := d.loop.Load()
	if loop == nil {
		return
	}
	switch err := loop.SetCapacity(); {
	case errors.Is(err, loopdev.ErrTaken):
		d.forgetLoop(loop)
	case err != nil:
		d.log.Error("the loop device keeps its old size", "loop", loop.Path(), "reason", err)
	}
}

// forgetLoop drops an own loop device that somebody detached: it holds the image
// no more. Called with mu held.
func (d *disk) forgetLoop(loop *loopdev.Device) {
	d.log.Warn("the loop device was detached by another program", "loop", loop.Path())
	d.setLoop(nil)
}

// setLoop notes the own loop device, nil = none, for a process to come too. Called
// with mu held.
func (d *disk) setLoop(loop *loopdev.Device) {
	name := ""
	if loop != nil {
		name = loop.Path()
		d.lastDev.Store(loop.Number())
	}
	d.record.setLoop(name)
	d.loop.Store(loop)
}
