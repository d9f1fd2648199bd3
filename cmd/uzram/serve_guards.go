package main

import (
	"os"

	"uzram/internal/guard"
	"uzram/internal/status"
)

// keeperGuards are those that this process does not put up itself: who takes over when it dies, and control groups that
// would make one of the two wait.
func (d *daemon) keeperGuards() []status.Guard {
	k := d.keeperState()
	keeps := guard.Keeper(k.Keeper, k.Standby)
	if d.opts.fdstore {
		keeps = guard.Systemd()
	}
	return []status.Guard{keeps, guard.Cgroup(k.Keeper, os.Getpid())}
}
