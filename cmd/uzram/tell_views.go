package main

import (
	"time"

	"uzram/internal/sysview"

	"golang.org/x/sys/unix"
)

// deviceHook runs the program of --hook, if there is one, and tells those who see the mount's devices where the kernel's
// would be. They see a device while the program says that it is there.
func (d *daemon) deviceHook(action, name string, dev uint64) error {
	if action == sysview.ActionRemove {
		d.tellViews(action, name, dev)
	}
	if d.hooks != nil {
		if err := d.hooks.run(action, name, dev); err != nil {
			if action == sysview.ActionRemove { // it stays
				d.tellViews(sysview.ActionAdd, name, dev)
			}
			return err
		}
	}
	if action == sysview.ActionAdd {
		d.tellViews(action, name, dev)
	}
	return nil
}

// tellViews tells all views. One that fails is no reason for the device to.
func (d *daemon) tellViews(action, name string, dev uint64) {
	if err := sysview.Tell(d.opts.dir, action, name, unix.Major(dev), unix.Minor(dev)); err != nil {
		d.log.Warn("a view does not show what the mount has", "device", name, "reason", err)
	}
}

// leaveTime is how long views may take to let go of a mount that goes whether they do or not.
const leaveTime = 5 * time.Second

// leaveViews has views forget the devices of a mount that is about to be taken out of the tree: a loop device that is detached
// may be another file's next, and a node must not lead there.
func leaveViews(dir string) {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_ = sysview.TellLeave(dir)
	}()
	select {
	case <-left:
	case <-time.After(leaveTime):
	}
}
