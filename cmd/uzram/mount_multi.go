package main

import (
	"uzram/fusefs"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// mostDevices is how many a mount may begin with. More can be added.
const mostDevices = 4096

// parseMulti checks the flags of a mount with many devices.
func (o *mountOptions) parseMulti(c *cli.Context) error {
	o.multi, o.devices = c.Bool("multi"), c.Int("devices")
	if !o.multi {
		for _, name := range []string{"devices", "hook"} {
			if c.IsSet(name) {
				return usagef("--%s needs --multi", name)
			}
		}
		return nil
	}
	if o.devices < 0 || o.devices > mostDevices {
		return usagef("--devices %d: accepted are 0 to %d", o.devices, mostDevices)
	}
	for _, name := range []string{"backing-dev", restoreFlagName} {
		if c.IsSet(name) {
			return usagef("--%s is for one device; with --multi write to the files of DIR/block/zramN", name)
		}
	}
	if c.IsSet("hook") {
		path, err := program("--hook", c.String("hook"))
		if err != nil {
			return err
		}
		o.hook = path
	}
	return nil
}

// count is how many devices there are to begin with.
func (o mountOptions) count() int {
	if o.multi {
		return o.devices
	}
	return 1
}

// heldEach is how many descriptors may be held of a device: its state, slots, elements, pool, seals, backing device, and
// what takes their place before they are dropped.
const heldEach = 12

// held is how many descriptors a keeper may have to hold; 0: as many as it does anyway.
func (o mountOptions) held() int {
	if !o.multi {
		return 0
	}
	return 64 + heldEach*fusefs.MaxDevices
}

// manyFiles lets this process, and what it starts, have as many files open as devices may need, if there is a right to.
func manyFiles() {
	const want = 1 << 20
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return
	}
	if limit.Max < want && unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: want, Max: want}) == nil {
		return
	}
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit.Max, Max: limit.Max})
}
