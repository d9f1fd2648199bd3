package main

import (
	"errors"
	"fmt"

	"uzram/internal/ctldir"
	"uzram/internal/mountinfo"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func setCommand() *cli.Command {
	return &cli.Command{
		Name:      "set",
		Usage:     "write attributes of a device",
		UsageText: "uzram set DIR ATTR=VALUE ...",
		Description: "Writes each VALUE as it is to the file ATTR of the device, one after the other, and stops at the first that is refused.\n" +
			"DIR is a mount of one device, or DIR/block/zramN of many.\n\n" +
			"Example:\n\n  uzram set /run/z/block/zram0 comp_algorithm=zstd mem_limit=512M disksize=2G",
		Action: func(c *cli.Context) error {
			args, err := dirArgs(c, -1)
			if err != nil {
				return err
			}
			if len(args) < 2 {
				return usagef("set needs at least one ATTR=VALUE: %s", c.Command.UsageText)
			}
			var list []setting
			for _, text := range args[1:] {
				s, ok := cutSetting(text)
				if !ok {
					return usagef("%q: accepted is ATTR=VALUE, as in mem_limit=512M", text)
				}
				list = append(list, s)
			}
			dir, err := deviceArg(args[0])
			if err != nil {
				return err
			}
			return setAll(args[0], dir, list)
		},
	}
}

func setAll(name string, dir ctldir.Dir, list []setting) error {
	for _, s := range list {
		err := dir.Write(s.attr, s.value)
		switch {
		case err == nil:
			continue
		case isDead(err):
			return deadOr(name, err)
		case s.attr == "reset" && errors.Is(err, unix.EBUSY):
			return &mountinfo.BusyError{Dir: dir.Path(), Holders: holders(dir)}
		case s.attr == "backing_dev": // what refusal says of it is about the flag of mount
			return fmt.Errorf("%s: %w", name, err)
		}
		return fmt.Errorf("%s: %w", name, refusal(dir, s, err))
	}
	return nil
}
