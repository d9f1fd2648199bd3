package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"syscall"

	"uzram/fusefs"
	"uzram/internal/mountinfo"
	"uzram/internal/status"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// Swapping off reads everything back through the mount. The process that serves it must not wait there: it could not end
// when it is killed, nobody would take over, and the kernel counts who swaps off as the first to be killed when memory runs
// out. So the daemon has a child do it.

// swapoffVerb is for the daemon alone and not listed.
const swapoffVerb = "swapoff"

func swapoffCommand() *cli.Command {
	return &cli.Command{
		Name:   swapoffVerb,
		Hidden: true,
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("%s is for uzram itself", swapoffVerb)
			}
			return swapOff(c.Args().First())
		},
	}
}

// swapOff ends the swapping on a device; it is no error if there is none.
func swapOff(device string) error {
	err := swapOffCall(device)
	switch {
	case err == nil, errors.Is(err, unix.EINVAL):
		return nil
	case errors.Is(err, unix.ENOMEM):
		return fmt.Errorf("swapoff %s: memory has no room for what is swapped out; end some programs first", device)
	case errors.Is(err, unix.EINTR):
		return fmt.Errorf("swapoff %s: %w; it is swap space still", device, errInterrupted)
	}
	return fmt.Errorf("swapoff %s: %w", device, err)
}

// swapOffOwn ends the swapping on the loop device of a mount --swap, unless something else keeps the mount busy: then
// nothing is done.
func swapOffOwn(dir string, st status.Status) error {
	if !st.Swap {
		return nil
	}
	own, err := loopsOfMount(dir, st)
	loops := namesOf(own)
	swaps := withSwap(loops)
	if err != nil || len(swaps) == 0 {
		return err
	}
	users := mountinfo.Search{Dir: dir, Loops: loops, Ignore: []int{st.WorkerPID}, Swap: true}
	if found := lasting(users); len(found) > 0 {
		return &mountinfo.BusyError{Dir: dir, Holders: found}
	}
	for _, loop := range swaps {
		if err := swapOff(loop); err != nil {
			return err
		}
	}
	return nil
}

// withSwap returns the loop devices that are swap space.
func withSwap(loops []string) []string {
	return slices.DeleteFunc(slices.Clone(loops), func(l string) bool { return len(mountinfo.SwapsOn(l)) == 0 })
}

// unmount is what a signal asks for: swapping ends first where it belongs to the mount.
func (d *daemon) unmount(m *fusefs.Mount) error {
	if err := viewed(d.opts.dir); err != nil {
		return err
	}
	loops := m.LoopPaths()
	swaps := withSwap(loops)
	if d.opts.swap == swapNone || len(swaps) == 0 {
		return m.Unmount()
	}
	users := mountinfo.Search{Dir: d.opts.dir, Loops: loops, Swap: true}
	if found := users.Holders(); len(found) > 0 {
		return &mountinfo.BusyError{Dir: d.opts.dir, Holders: found}
	}
	for _, loop := range swaps {
		if err := swapOffByChild(loop); err != nil {
			return err
		}
	}
	return m.Unmount()
}

// selfExe is this program, even when another one has its name by now.
const selfExe = "/proc/self/exe"

func swapOffByChild(device string) error {
	var stderr bytes.Buffer
	cmd := exec.Command(selfExe, swapoffVerb, device)
	cmd.Args[0] = "uzram"
	cmd.Stderr = &stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Run(); err != nil {
		return childError(err, stderr.String())
	}
	return nil
}
