package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"uzram/internal/status"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "compare all that a disk knows about itself with its slot table",
		UsageText: "uzram check [--json] DIR",
		Description: "Reads DIR/debug/check. The slot table is the truth about every page; counts, size classes, free lists and who owns\n" +
			"which object are derived from it once more and compared with those in use. I/O goes on and is held up for moments\n" +
			"only. Prints what differs, one line each, and ends with 1 if anything does.\n\nExample:\n\n  uzram check /run/z",
		Flags: []cli.Flag{
			&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "print one JSON object"},
		},
		Action: func(c *cli.Context) error {
			args, err := dirArgs(c, 1)
			if err != nil {
				return err
			}
			device, err := deviceArg(args[0])
			if err != nil {
				return err
			}
			dir := device.Path()
			text, err := device.Read("debug/check")
			if errors.Is(err, unix.EINVAL) {
				return fmt.Errorf("%s is not set up: there is nothing to check before its disksize is written", dir)
			}
			if err != nil {
				return deadOr(dir, err)
			}
			return reportCheck(c.App.Writer, dir, text, c.Bool("json"))
		},
	}
}

// reportCheck prints the daemon's answer. The error says that there are findings.
func reportCheck(w io.Writer, dir, text string, asJSON bool) error {
	var r status.Check
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return fmt.Errorf("%s/debug/check: %w", dir, err)
	}
	if asJSON {
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
	} else if err := printCheck(w, r); err != nil {
		return err
	}
	if n := uint64(len(r.Findings)) + r.More; n > 0 {
		return fmt.Errorf("%s is damaged, findings: %d", dir, n)
	}
	return nil
}

func printCheck(w io.Writer, r status.Check) error {
	for _, f := range r.Findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	if r.More > 0 {
		if _, err := fmt.Fprintf(w, "and %d more\n", r.More); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "checked %d pages, %d objects, %d zspages; I/O was held up %d times, for %v at most\n",
		r.Slots, r.Objects, r.Zspages, r.Holds, time.Duration(r.LongestHoldNS).Round(time.Microsecond))
	return err
}
