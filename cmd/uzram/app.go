package main

import (
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

// newApp describes the command line.
func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "uzram",
		Usage:     "a compressed RAM disk in user space",
		UsageText: "uzram VERB [flags] [DIR]",
		Description: "uzram mounts a directory that holds a disk image and the kernel's zram control files for it. What is written\n" +
			"to the image is kept in memory, compressed.\n\nExit codes:\n" + exitCodeText(),
		Commands: []*cli.Command{
			mountCommand(), umountCommand(), statusCommand(), listCommand(), addCommand(), removeCommand(), setCommand(), upCommand(), downCommand(), resetCommand(), compactCommand(), checkCommand(),
			idleCommand(), writebackCommand(), recompressCommand(), drainCommand(), upgradeCommand(), snapshotCommand(), dictCommand(), sysfsCommand(), versionCommand(), applyCommand(), postCommand(), swapoffCommand(), hookCommand(), workerCommand(), viewCommand(), moduleCommand(),
		},
		Writer:                    stdout,
		ErrWriter:                 stderr,
		HideVersion:               true,
		DisableSliceFlagSeparator: true, // a comma may be part of a --set value
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              onUsageError,
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("no verb is given; accepted: %s", verbs(c.App))
			}
			return usagef("unknown verb %q; accepted: %s", c.Args().First(), verbs(c.App))
		},
	}
	for _, cmd := range app.Commands {
		cmd.OnUsageError = onUsageError
		cmd.HideHelpCommand = true // `uzram mount help` is a directory named help
	}
	return app
}

// onUsageError words what the flag parser found.
func onUsageError(c *cli.Context, err error, _ bool) error {
	name := "uzram"
	if c.Command != nil && c.Command.Name != "" && c.Command.Name != name {
		name += " " + c.Command.Name
	}
	return badFlag(name, err)
}

// badFlag is the flag parser's error for the command of that name.
func badFlag(name string, err error) error {
	text := strings.Replace(err.Error(), "flag provided but not defined: ", "unknown flag ", 1)
	return usagef("%s; see %s --help", text, name)
}

// verbs lists what a user may call.
func verbs(app *cli.App) string {
	var names []string
	for _, c := range app.VisibleCommands() {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// dirArgs returns the directories that a verb was given: from least to most of them, most < 0 meaning any number.
func dirArgs(c *cli.Context, most int) ([]string, error) {
	args := c.Args().Slice()
	if len(args) == 0 {
		return nil, usagef("%s needs a directory: %s", c.Command.Name, c.Command.UsageText)
	}
	for _, a := range args {
		switch {
		case a == "":
			return nil, usagef("%s: the name of the directory is empty", c.Command.Name)
		case strings.HasPrefix(a, "-"):
			return nil, usagef("%s: flags stand before the directory, so %q is not accepted there (a directory of that name is ./%s)",
				c.Command.Name, a, a)
		}
	}
	if most >= 0 && len(args) > most {
		return nil, usagef("%s takes one directory, not %d arguments: %s", c.Command.Name, len(args), c.Command.UsageText)
	}
	return args, nil
}
