package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"uzram/internal/sysview"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// sysfsOptions is a parsed command line of sysfs.
type sysfsOptions struct {
	dir        string // the multi mount; canonical, or the default
	keepKernel bool
	command    []string
}

func sysfsCommand() *cli.Command {
	return &cli.Command{
		Name:      "sysfs",
		Usage:     "run a command that finds uzram devices where the kernel's zram would be",
		UsageText: "uzram sysfs [flags] [--] [COMMAND [ARG ...]]",
		Description: "Runs COMMAND, or a shell, in a mount namespace of its own in which the devices of a uzram mount --multi --loop are\n" +
			"/sys/block/zramN and /dev/zramN, and its control files are /sys/class/zram-control. So zramctl, zramswap and other\n" +
			"programs for zram work as they are, also where the kernel has none. What the kernel has itself of zram is not seen\n" +
			"there. modprobe zram and modprobe -r zram make and remove devices of the mount. The exit code is that of COMMAND,\n" +
			"127 if there is no such program.\n\n" +
			"Devices stay as COMMAND leaves them, and so does swap space. What it mounts is mounted in the view only, which ends with\n" +
			"COMMAND, or with the last swap space that was made in it.\n\n" +
			"If nothing is mounted on " + sysview.DefaultDir + ", the command mounts it with one device, and the last such command unmounts it\n" +
			"again if no device has a size then. Another mount is named by --dir.\n\n" +
			"--system makes the same view for all processes of the caller's mount namespace, until --undo.\n\n" +
			"Example:\n\n" +
			"  uzram sysfs -- zramctl --find --size 1G --algorithm zstd\n" +
			"  uzram sysfs -- zramctl\n" +
			"  uzram sysfs -- zramctl --reset /dev/zram0",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "dir", Value: sysview.DefaultDir, Usage: "show the devices of the mount on `DIR`"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "keep-kernel",
				Usage: "show the kernel's zram devices too, but for those whose names are taken"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "system", Usage: "make the view for the whole machine and return"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "over-kernel", Usage: "with --system: also where the kernel has zram of its own"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "undo", Usage: "take the view for the whole machine down"},
		},
		Action: sysfsAction,
	}
}

func sysfsAction(c *cli.Context) error {
	o, err := parseSysfs(c)
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return withCode(exitMissing, fmt.Errorf("uzram sysfs mounts and makes device nodes, which only root may"))
	}
	switch {
	case c.Bool("undo"):
		return o.undo()
	case c.Bool("system"):
		if sysview.KernelHasZram("/") && !c.Bool("over-kernel") {
			return usagef("the kernel has zram of its own, which the view would hide from the whole machine; --over-kernel does it all the same")
		}
		return o.system()
	}
	return o.private()
}

// parseSysfs checks what can be checked before anything is done.
func parseSysfs(c *cli.Context) (sysfsOptions, error) {
	o := sysfsOptions{dir: sysview.DefaultDir, keepKernel: c.Bool("keep-kernel"), command: c.Args().Slice()}
	system, undo := c.Bool("system"), c.Bool("undo")
	switch {
	case system && undo:
		return o, usagef("--system makes a view and --undo takes it down; give one of them")
	case c.Bool("over-kernel") && !system:
		return o, usagef("--over-kernel goes with --system")
	case (system || undo) && len(o.command) > 0:
		return o, usagef("--system and --undo take no command")
	case undo && o.keepKernel:
		return o, usagef("--undo takes no --keep-kernel")
	}
	if !c.IsSet("dir") {
		return o, nil
	}
	var err error
	if undo { // the view may be all that there is of the mount
		if o.dir, err = canonical(c.String("dir")); errors.Is(err, os.ErrNotExist) {
			o.dir, err = filepath.Abs(c.String("dir"))
		}
		return o, err
	}
	if o.dir, err = mounted(c.String("dir")); err != nil {
		return o, err
	}
	if err := unix.Access(o.dir+"/"+hotAdd, unix.F_OK); err != nil {
		if isDead(err) {
			return o, deadOr(c.String("dir"), err)
		}
		if errors.Is(err, unix.EACCES) {
			return o, notRoots(o.dir)
		}
		return o, usagef("%s has one device only; accepted is the directory of a uzram mount --multi", c.String("dir"))
	}
	return o, nil
}
