package main

import (
	"errors"
	"fmt"

	"uzram/internal/mountinfo"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func resetCommand() *cli.Command {
	return verbCommand("reset", "empty disks and return all their settings to the defaults",
		"Writes 1 to DIR/reset. While the disk is in use, nothing is done and the message says who uses it.\n"+
			"Write DIR/disksize to set the disk up again.",
		"Example:\n\n  uzram reset /run/z\n  echo 2G > /run/z/disksize")
}

func compactCommand() *cli.Command {
	return verbCommand("compact", "give memory back that lies unused between compressed pages",
		"Writes 1 to DIR/compact. Field 7 of DIR/mm_stat counts the pages given back.",
		"Example:\n\n  uzram compact /run/z && cat /run/z/mm_stat")
}

// verbCommand is a verb that writes 1 to the attribute of the same name, for each directory.
func verbCommand(name, usage, description, example string) *cli.Command {
	return &cli.Command{
		Name:        name,
		Usage:       usage,
		UsageText:   "uzram " + name + " DIR ...",
		Description: description + " With several directories all are done, whatever happens to the others.\n\n" + example,
		Action: func(c *cli.Context) error {
			dirs, err := dirArgs(c, -1)
			if err != nil {
				return err
			}
			var errs []error
			for _, dir := range dirs {
				errs = append(errs, doVerb(dir, name))
			}
			return errors.Join(errs...)
		},
	}
}

// doVerb writes 1 to an attribute of the device whose directory is dir.
func doVerb(dir, attr string) error {
	device, err := deviceArg(dir)
	if err != nil {
		return err
	}
	err = device.Write(attr, "1")
	switch {
	case attr == "reset" && errors.Is(err, unix.EBUSY):
		return &mountinfo.BusyError{Dir: device.Path(), Holders: holders(device)}
	case isDead(err):
		return deadOr(dir, err)
	case err != nil:
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}
