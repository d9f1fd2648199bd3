package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/fusermount"
	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"
	"uzram/internal/status"
	"uzram/internal/sysview"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// daemonEnd is how long a daemon may take to end once its mount is gone: it gives back its memory meanwhile.
const daemonEnd = 30 * time.Second

func umountCommand() *cli.Command {
	return &cli.Command{
		Name:      "umount",
		Usage:     "unmount a disk and end its daemon; the data are gone",
		UsageText: "uzram umount DIR",
		Description: "Ends the swapping of a mount --swap, detaches the loop device of the mount, unmounts DIR and waits until the\n" +
			"daemon is gone. While something uses the mount or the loop device, nothing is done and the message says who; swap\n" +
			"space that was not made by --swap is such a use. If the daemon is dead, what it left behind is cleaned up: loop\n" +
			"devices attached to DIR/image, and the mount.\n\n" +
			"Example:\n\n  uzram umount /run/z",
		Action: func(c *cli.Context) error {
			dir, err := mountedArg(c)
			if err != nil {
				return err
			}
			return umount(dir)
		},
	}
}

// umount takes down the mount on dir, whether its daemon lives or not.
func umount(dir string) error {
	if err := viewed(dir); err != nil {
		return err
	}
	st, err := readStatus(dir)
	switch {
	case isDead(err):
		return umountDead(dir)
	case errors.Is(err, unix.EACCES) && os.Geteuid() == 0:
		return release(dir, nil, 0) // an ordinary user's, which has no loop device; not even root may look into it
	case err != nil:
		return err
	}
	if err := swapOffOwn(dir, st); err != nil {
		return err
	}
	last := st.WorkerPID
	if st.KeeperPID != nil { // it ends when all others have
		last = *st.KeeperPID
	}
	w := watchExit(last)
	defer w.close()
	loops, err := loopsOfMount(dir, st)
	if err != nil {
		return err
	}
	if err := release(dir, loops, st.WorkerPID); err != nil {
		return err
	}
	return w.wait(daemonEnd)
}

// viewed says that a view shows the mount: it keeps it alive in its namespace, and has nodes for its loop devices.
func viewed(dir string) error {
	if viewers := sysview.Viewers(dir); len(viewers) > 0 {
		return &mountinfo.BusyError{Dir: dir, Holders: viewers}
	}
	return nil
}

// umountDead cleans up after a daemon that died. All loop devices on the image are as dead as it is.
func umountDead(dir string) error {
	loops, err := loopdev.FindInside(dir)
	if err != nil {
		return err
	}
	return release(dir, loops, 0)
}

// release detaches the loop devices and unmounts dir. If something uses one of them it does nothing and names the user.
func release(dir string, loops []loopdev.Backed, daemonPID int) error {
	users := mountinfo.Search{Dir: dir, Loops: namesOf(loops), Ignore: []int{daemonPID}}
	busy := func() error { return &mountinfo.BusyError{Dir: dir, Holders: users.Holders()} }
	if len(loops) > 0 { // a claim would make their users' discards fail, so do not try it in vain
		if found := lasting(users); len(found) > 0 {
			return &mountinfo.BusyError{Dir: dir, Holders: found}
		}
	}
	var claims []*loopdev.Claim // until the devices are detached nobody can begin to use them
	defer func() {
		for _, c := range claims {
			c.Release()
		}
	}()
	for _, l := range loops {
		claim, err := loopdev.Attached(l.Loop, l.File).Claim()
		switch {
		case errors.Is(err, unix.EBUSY):
			return busy()
		case errors.Is(err, unix.ENXIO):
			continue // somebody detached it
		case err != nil:
			return err
		}
		claims = append(claims, claim)
	}
	if len(loops) > 0 { // they must not be detached in vain; without any, the kernel decides below
		if found := lasting(users); len(found) > 0 {
			return &mountinfo.BusyError{Dir: dir, Holders: found}
		}
	}
	for len(claims) > 0 {
		claim := claims[0]
		claims = claims[1:]
		if err := claim.Detach(); err != nil {
			return err
		}
	}
	err := fusermount.Unmount(dir, fusermount.Cleanly)
	if errors.Is(err, unix.EBUSY) {
		err = busy() // somebody was faster
		if daemonPID != 0 {
			for _, l := range loops {
				if _, aerr := loopdev.AttachTo(l.Loop, l.File, loopdev.SectorSize); aerr != nil {
					err = fmt.Errorf("%w; and %s could not be attached again: %w", err, l.Loop, aerr)
				}
			}
		}
	}
	return err
}

// lasting returns the users that stay for a second: device managers look into a loop device whenever a writer closes it.
func lasting(users mountinfo.Search) []string {
	const most, pause = time.Second, 20 * time.Millisecond
	for end := time.Now().Add(most); ; time.Sleep(pause) {
		found := users.Holders()
		if len(found) == 0 || time.Now().After(end) {
			return found
		}
	}
}

// loopsOfMount returns the loop devices that belong to a mount's devices, as far as the kernel says the same.
func loopsOfMount(dir string, st status.Status) (own []loopdev.Backed, err error) {
	said := map[string]bool{}
	if st.Loop != nil {
		said[*st.Loop] = true
	}
	for _, d := range st.Devices {
		if d.Loop != nil {
			said[*d.Loop] = true
		}
	}
	if len(said) == 0 {
		return nil, nil
	}
	all, err := loopdev.FindInside(dir)
	for _, l := range all {
		if said[l.Loop] {
			own = append(own, l)
		}
	}
	return own, err
}

func namesOf(loops []loopdev.Backed) (names []string) {
	for _, l := range loops {
		names = append(names, l.Loop)
	}
	return names
}

// ownLoops returns the loop devices that belong to a device: one or none. What the daemon says is believed only as far as
// the kernel says the same: the daemon may be another user's.
func ownLoops(dir string, st status.Status) []string {
	if st.Loop == nil {
		return nil
	}
	found, err := loopdev.FindByBacking(filepath.Join(dir, "image"))
	if err != nil || !slices.Contains(found, *st.Loop) {
		return nil
	}
	return []string{*st.Loop}
}

// readStatus reads what the daemon says of itself.
func readStatus(dir string) (status.Status, error) {
	for tries := 5; ; tries-- {
		var st status.Status
		text, err := ctldir.Open(dir).Read("debug/status")
		if err != nil {
			return st, err
		}
		// What is longer than a read ends early when the worker dies in between.
		if err = json.Unmarshal([]byte(text), &st); err == nil {
			return st, nil
		}
		if tries == 0 {
			return st, fmt.Errorf("%s/debug/status: %w", dir, err)
		}
	}
}

// isDead says whether an error means that there is no daemon behind the mount.
func isDead(err error) bool {
	return errors.Is(err, unix.ENOTCONN) || errors.Is(err, unix.ECONNABORTED)
}
