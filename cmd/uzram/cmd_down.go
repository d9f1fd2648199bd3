package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"uzram/internal/loopdev"
	"uzram/internal/mountinfo"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func downCommand() *cli.Command {
	return &cli.Command{
		Name:      "down",
		Usage:     "undo what up did; the data are gone",
		UsageText: "uzram down [flags]",
		Description: "Unmounts the file systems on the loop devices of the mount on " + upDir + ", ends the swapping on them, and takes the\n" +
			"mount down. While something uses one of the file systems it says who, and goes no further.\n\n" +
			"Example:\n\n  uzram down",
		Flags: []cli.Flag{dirFlag()},
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return usagef("down takes no arguments; another directory is given as in uzram down --dir DIR")
			}
			dir := c.String("dir")
			if dir == "" {
				return usagef("--dir needs the name of a directory")
			}
			path, err := mounted(dir)
			if err != nil {
				return err
			}
			if err := takeDown(path); err != nil {
				return err
			}
			if dir == upDir {
				_ = os.Remove(dir) // somebody else may have put something there
			}
			return nil
		},
	}
}

// takeDown ends all use of the devices of the mount on dir, and the mount.
func takeDown(dir string) error {
	if err := viewed(dir); err != nil {
		return err
	}
	st, err := readStatus(dir)
	switch {
	case isDead(err):
		return takeDownDead(dir)
	case err != nil:
		return err
	}
	loops, err := loopsOfMount(dir, st)
	if err != nil {
		return err
	}
	if err := unmountAll(namesOf(loops)); err != nil {
		return err
	}
	st.Swap = true // up swaps on, of which the daemon knows nothing
	if err := swapOffOwn(dir, st); err != nil {
		return err
	}
	return umount(dir)
}

// takeDownDead takes down a mount whose daemon is dead. What is swapped out there cannot be read back, so that swap space is
// left to the user, who is told of it.
func takeDownDead(dir string) error {
	loops, err := loopdev.FindInside(dir)
	if err != nil {
		return err
	}
	if err := unmountAll(namesOf(loops)); err != nil {
		return err
	}
	return umount(dir)
}

// unmountAll unmounts the file systems on these block devices, the last mounted first.
func unmountAll(blocks []string) error {
	all, err := mountinfo.All()
	if err != nil {
		return err
	}
	others := map[string]mountinfo.Mount{} // mounted later, by where
	for _, m := range slices.Backward(all) {
		on := func(block string) bool { return m.Source == block || m.Dev == blockNumber(block) }
		if !slices.ContainsFunc(blocks, on) {
			others[m.Point] = m
			continue
		}
		if above, covered := others[m.Point]; covered { // it would be unmounted in place of ours
			what := fmt.Sprintf("%s is mounted over it", above.Type)
			return &mountinfo.BusyError{Dir: m.Point, Holders: []string{what}}
		}
		err := unix.Unmount(m.Point, unix.UMOUNT_NOFOLLOW)
		switch {
		case errors.Is(err, unix.EBUSY):
			return &mountinfo.BusyError{Dir: m.Point, Holders: mountinfo.Search{Dir: m.Point}.Holders()}
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOENT): // somebody else was faster
		case err != nil:
			return fmt.Errorf("unmount %s: %w", m.Point, err)
		}
	}
	return nil
}
