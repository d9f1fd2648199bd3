package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"uzram/internal/size"
	"uzram/internal/snapshot"

	"github.com/urfave/cli/v2"
)

func snapshotCommand() *cli.Command {
	return &cli.Command{
		Name:        "snapshot",
		Usage:       "save disks to files, and look at such files",
		UsageText:   "uzram snapshot VERB ...",
		Description: "Example:\n\n  uzram snapshot save /run/z /var/lib/uzram/z.snapshot",
		Subcommands: []*cli.Command{
			snapshotSaveCommand(), snapshotShowCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("snapshot needs a verb; accepted: save, show")
			}
			return usagef("unknown verb %q of snapshot; accepted: save, show", c.Args().First())
		},
	}
}

func snapshotSaveCommand() *cli.Command {
	return &cli.Command{
		Name:            "save",
		HideHelpCommand: true,
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return badFlag("uzram snapshot save", err) },
		Usage:           "save a disk, its settings and its statistics to a file",
		UsageText:       "uzram snapshot save DIR FILE",
		Description: "Reads DIR/debug/snapshot. The file has the disk as it was at the moment when the command began; what is written to\n" +
			"the disk meanwhile is not in it. I/O goes on and is held up for that moment only. What it replaces must be kept until\n" +
			"it is saved: if that gets more than a quarter of the memory in use, and than 64 MiB, the command fails, and the disk\n" +
			"goes on. Pages of a mounted file system that the kernel has not written to the disk yet are not in the file: see\n" +
			"fsfreeze(8).\n\n" +
			"Compressed pages are saved as they are, those on the backing device too. They are not encrypted in the file, which is\n" +
			"for its owner alone. It appears under its name, in place of an older one, when it is complete and on the disk.\n\n" +
			"uzram mount --restore FILE DIR makes a disk of it.\n\n" +
			"Example:\n\n  uzram snapshot save /run/z /var/lib/uzram/z.snapshot",
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) != 2 {
				return usagef("snapshot save needs a directory and a file: %s", c.Command.UsageText)
			}
			dir, err := deviceArg(args[0])
			if err != nil {
				return err
			}
			return saveSnapshot(args[0], dir.Path(), args[1], c.App.Writer, c.App.ErrWriter)
		},
	}
}

func snapshotShowCommand() *cli.Command {
	return &cli.Command{
		Name:            "show",
		HideHelpCommand: true,
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return badFlag("uzram snapshot show", err) },
		Usage:           "check a saved disk and show what it is",
		UsageText:       "uzram snapshot show [--json] FILE",
		Description: "Reads all of the file and compares its checksums. Ends with 1 if it is damaged, or not complete, or not for this\n" +
			"version.\n\nExample:\n\n  uzram snapshot show /var/lib/uzram/z.snapshot",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "print one JSON object"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return usagef("snapshot show needs a file: %s", c.Command.UsageText)
			}
			h, bytes, err := verifySnapshot(c.Args().First(), c.App.ErrWriter)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return json.NewEncoder(c.App.Writer).Encode(h)
			}
			return printSnapshot(c.App.Writer, h, bytes)
		},
	}
}

// printSnapshot shows what a file of so many bytes says.
func printSnapshot(w io.Writer, h snapshot.Head, bytes uint64) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, value string) { fmt.Fprintf(t, "%s\t%s\n", name, value) }
	row("taken", h.Taken.Format(time.RFC3339)+" by uzram "+h.Program)
	row("file", fmt.Sprintf("%s, format %d", size.Format(bytes), snapshot.Version))
	row("disk size", size.Format(h.Disksize))
	row("in use", fmt.Sprintf("%s, %s", plural(h.Pages), data(h.Pages)))
	for _, a := range h.Algorithms {
		name := "algorithm"
		if a.Priority > 0 {
			name += " #" + strconv.Itoa(a.Priority)
		}
		row(name, a.Name+parameters(a))
	}
	if h.MemLimit > 0 {
		row("memory limit", size.Format(h.MemLimit))
	}
	if b := h.Writeback.BackingDev; b != "" {
		row("backing device", fmt.Sprintf("%s, %s there", b, data(h.OnBacking)))
	}
	row("memory in use", size.Format(h.Stats["mem_used_total"]))
	return t.Flush()
}

// parameters is what was chosen for an algorithm.
func parameters(a snapshot.Algorithm) (text string) {
	if a.Level != nil {
		text += fmt.Sprintf(", level %d", *a.Level)
	}
	if a.WinBits != nil {
		text += fmt.Sprintf(", winbits %d", *a.WinBits)
	}
	if len(a.Dict) > 0 {
		text += fmt.Sprintf(", dictionary of %d bytes", len(a.Dict))
	}
	return text
}
