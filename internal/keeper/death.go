package keeper

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// reap waits for all that have died, orphans of dead workers included.
func (k *keeper) reap() {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		for _, c := range [...]*child{k.worker, k.standby, k.upgrade.child} {
			if c != nil && c.pid == pid {
				c.gone = true
				k.listen(c) // what it said before it died counts
				k.died(c, status)
			}
		}
	}
}

// died deals with a child that has been waited for.
func (k *keeper) died(c *child, status unix.WaitStatus) {
	switch {
	case c != k.worker:
		k.bury(c, end(status))
	case c.ended && status.Exited():
		c.close()
		k.worker = nil
		k.finish(status.ExitStatus(), nil)
	default:
		k.bury(c, end(status))
	}
}

// bury deals with a child that does nothing any more.
func (k *keeper) bury(c *child, how string) {
	c.close()
	switch c {
	case k.worker:
		k.worker = nil
		k.workerDied(c, how)
	case k.standby:
		k.standby = nil
		k.standbyDied(c, how)
		if k.upgrade.handing {
			k.refuse(unix.EINVAL, fmt.Sprintf("it ended before it could take over: %s", how))
		}
	case k.upgrade.child:
		k.upgrade.child = nil
		k.refuse(unix.EINVAL, fmt.Sprintf("it ended before it was ready: %s", how))
	}
}

func (k *keeper) workerDied(c *child, how string) {
	now := k.now()
	if !k.settled {
		k.finish(1, fmt.Errorf("the worker died before all was set up: %s", how))
		k.abandon()
		return
	}
	if c.ended {
		k.finish(1, fmt.Errorf("the worker died after the work was over: %s", how))
		return
	}
	var life time.Duration
	if c.serving {
		life = now - c.served
		k.deathAt = now
	}
	var wait time.Duration
	if k.upgradeDied(c, how) {
		wait = k.workerBackoff.died(now, life)
	}
	k.workerAt = now + wait
	switch {
	case c.replaced:
		k.o.Log.Info("worker replaced", "pid", c.pid)
	case wait > 0:
		k.o.Log.Error("worker died, again so soon: I/O waits for the next one", "pid", c.pid, "how", how, "wait", wait)
	default:
		k.o.Log.Warn("worker died", "pid", c.pid, "how", how)
	}
}

func (k *keeper) standbyDied(c *child, how string) {
	now := k.now()
	life := time.Duration(0)
	if c.standing {
		life = now - c.started
	}
	wait := k.standbyBackoff.died(now, life)
	k.standbyAt = now + wait
	if wait > 0 {
		k.o.Log.Error("standby died, again so soon: there is none for a while", "pid", c.pid, "how", how, "wait", wait)
	} else {
		k.o.Log.Warn("standby died", "pid", c.pid, "how", how)
	}
	k.show()
}

// abandon ends what the workers served. Whoever still holds a copy of a descriptor has to be gone before.
func (k *keeper) abandon() {
	k.shutDown()
	k.fds.closeAll()
	if k.o.Abandon != nil {
		k.o.Abandon()
	}
}
