package main

import (
	"errors"
	"strconv"

	"uzram/internal/ctldir"
	"uzram/internal/mountinfo"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func removeCommand() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "remove a device from a mount of many; its data are gone",
		UsageText: "uzram remove DIR N",
		Description: "Writes N to DIR/class/zram-control/hot_remove. While something uses the device nothing is done, and the message says\n" +
			"who. DIR is a mount --multi; /sys stands for the kernel's devices.\n\nExample:\n\n  uzram remove /run/z 3",
		Action: func(c *cli.Context) error {
			args, err := dirArgs(c, -1)
			if err != nil {
				return err
			}
			if len(args) != 2 {
				return usagef("remove takes a directory and a number: %s", c.Command.UsageText)
			}
			number, err := strconv.ParseUint(args[1], 10, 31)
			if err != nil {
				return usagef("%q is not the number of a device", args[1])
			}
			dir, err := multiArg(args[0])
			if err != nil {
				return err
			}
			return removeDevice(dir, int(number))
		},
	}
}

// removeDevice removes a device, or says who uses it.
func removeDevice(multi ctldir.Dir, number int) error {
	err := multi.Write(hotRemove, strconv.Itoa(number))
	switch {
	case errors.Is(err, unix.ENODEV):
		return usagef("%s has no device %d", multi.Path(), number)
	case errors.Is(err, unix.EBUSY):
		return &mountinfo.BusyError{Dir: deviceOf(multi, number).Path(), Holders: holders(deviceOf(multi, number))}
	case err != nil:
		return deadOr(multi.Path(), err)
	}
	return nil
}

// holders names who uses a device.
func holders(dir ctldir.Dir) []string {
	q := mountinfo.Search{Dir: dir.Path(), Alias: secondName(dir.Path())}
	if st, err := readStatus(dir.Path()); err == nil {
		q.Loops, q.Ignore = ownLoops(dir.Path(), st), []int{st.WorkerPID}
	} else if loop := ownBlockDevice(dir); loop != "" {
		q.Loops = []string{loop}
	}
	return q.Holders()
}
