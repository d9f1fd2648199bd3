package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/sysview"

	"github.com/urfave/cli/v2"
)

// In a view modprobe is told to run this program for the module zram: adding it makes devices if there are none, as loading
// the module does, and removing it removes them all.

// modprobeName is the name under which this program stands in for modprobe where that is missing.
const modprobeName = "modprobe"

// zramModule is the one module that there is then.
const zramModule = "zram"

func moduleCommand() *cli.Command {
	return &cli.Command{
		Name:            sysview.ModuleVerb,
		Hidden:          true,
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			switch args := c.Args(); args.First() {
			case "add":
				return addModule(args.Tail())
			case "remove":
				return removeModule()
			}
			return usagef("%s is for uzram itself", sysview.ModuleVerb)
		},
	}
}

// addModule makes num_devices devices, one unless that is given.
func addModule(options []string) error {
	present, err := viewNumbers()
	if err != nil || len(present) > 0 {
		return err
	}
	count := uint64(1)
	for _, o := range options {
		if text, ok := strings.CutPrefix(o, "num_devices="); ok {
			if count, err = strconv.ParseUint(text, 0, 16); err != nil {
				return usagef("num_devices=%s is not accepted; it is a number", text)
			}
		}
	}
	for range count {
		if _, err := ctldir.Open(kernelControl).Read(hotAdd); err != nil {
			return err
		}
	}
	return nil
}

// removeModule removes all devices, or none of those from the first that is in use on.
func removeModule() error {
	present, err := viewNumbers()
	if err != nil {
		return err
	}
	for _, n := range present {
		if err := ctldir.Open(kernelControl).Write(hotRemove, strconv.Itoa(n)); err != nil {
			return fmt.Errorf("%s: %w", deviceName(n), err)
		}
	}
	return nil
}

// viewNumbers lists the devices of the mount in the view that this process is in. Those of the kernel have no image.
func viewNumbers() ([]int, error) {
	all, err := numbersIn(filepath.Join(kernelControl, blockDir))
	var ours []int
	for _, n := range all {
		if _, err := os.Lstat(filepath.Join(kernelControl, blockDir, deviceName(n), "image")); err == nil {
			ours = append(ours, n)
		}
	}
	return ours, err
}

// asModprobe is the program under that name.
func asModprobe(args []string) error {
	remove, dry, name := false, false, ""
	var options []string
	for _, a := range args {
		switch {
		case strings.HasPrefix(a, "--"):
			remove = remove || a == "--remove"
			dry = dry || a == "--dry-run" || a == "--show"
		case strings.HasPrefix(a, "-"):
			remove = remove || strings.Contains(a, "r")
			dry = dry || strings.Contains(a, "n")
		case name == "":
			name = a
		default:
			options = append(options, a)
		}
	}
	switch {
	case name != zramModule:
		return fmt.Errorf("this machine has no modprobe, and uzram stands in for it for the module %s only, not for %q", zramModule, name)
	case dry:
		return nil
	case remove:
		return removeModule()
	}
	return addModule(options)
}
