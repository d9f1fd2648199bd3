package main

import (
	"fmt"
	"io"
	"strings"

	"uzram/internal/ctldir"

	"github.com/urfave/cli/v2"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:      "status",
		Usage:     "show a disk: processes, loop device, size, statistics, safety guards",
		UsageText: "uzram status [--json] DIR",
		Description: "Shows what DIR/debug/status says. Each guard, which keeps a disk that is used as swap space from locking up, is\n" +
			"active, refused (with the reason) or off.\n\nExample:\n\n  uzram status --json /run/z | jq .stats.mem_used_total",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "print one JSON object"},
		},
		Action: func(c *cli.Context) error {
			dir, err := statusArg(c)
			if err != nil {
				return err
			}
			if c.Bool("json") {
				return copyStatus(c.App.Writer, dir)
			}
			st, err := readStatus(dir)
			if err != nil {
				return deadOr(dir, err)
			}
			return printStatus(c.App.Writer, st)
		},
	}
}

// statusArg returns the directory that a verb is given: a mount's, or that of one of its devices.
func statusArg(c *cli.Context) (string, error) {
	args, err := dirArgs(c, 1)
	if err != nil {
		return "", err
	}
	if path, err := mounted(args[0]); err == nil {
		return path, nil
	}
	dir, err := deviceArg(args[0])
	return dir.Path(), err
}

// copyStatus prints the daemon's own text.
func copyStatus(w io.Writer, dir string) error {
	text, err := ctldir.Open(dir).Read("debug/status")
	if err != nil {
		return deadOr(dir, err)
	}
	_, err = fmt.Fprintln(w, strings.TrimSpace(text))
	return err
}

// deadOr words the one error of a status that a user can do something about.
func deadOr(dir string, err error) error {
	if isDead(err) {
		return fmt.Errorf("the daemon behind %s is dead; clean up with uzram umount %s", dir, dir)
	}
	return err
}
