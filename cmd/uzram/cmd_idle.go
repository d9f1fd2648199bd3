package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/size"
	"uzram/internal/zramabi"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func idleCommand() *cli.Command {
	return &cli.Command{
		Name:      "idle",
		Usage:     "mark pages as idle, for writeback and recompress",
		UsageText: "uzram idle [flags] DIR ...",
		Description: "Writes to DIR/idle. Marks all pages that hold memory; with --age, those that were not used for longer than that, and\n" +
			"the others lose their mark. A page loses its mark when it is used. An age that reaches back to the boot of the machine\n" +
			"or beyond changes nothing. Prints how many pages are idle then. With several directories all are done, whatever\n" +
			"happens to the others.\n\n" +
			"Example: write back what was not used for a day\n\n" +
			"  uzram idle --age 24h /run/z\n  uzram writeback --type idle /run/z",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "age", Usage: "mark pages not used for `AGE`: seconds, or as in 90s, 36h, 1h30m"},
			dryRunFlag("mark"),
		},
		Action: func(c *cli.Context) error {
			age, given := uint32(0), c.IsSet("age")
			if given {
				var err error
				if age, err = parseAge(c.String("age")); err != nil {
					return err
				}
			}
			return eachDir(c, func(name string, dir ctldir.Dir) error {
				if _, err := needSetUp(name, dir); err != nil {
					return err
				}
				if c.Bool("dry-run") {
					return wouldMark(c.App.Writer, name, dir, age, given)
				}
				return mark(c.App.Writer, name, dir, age, given)
			})
		},
	}
}

// dryRunFlag is that of a verb that would do something.
func dryRunFlag(do string) cli.Flag {
	return &cli.BoolFlag{DisableDefaultText: true, Name: "dry-run", Usage: "say how many pages and bytes it would " + do + ", and change nothing"}
}

// parseAge reads seconds, or a duration of whole seconds.
func parseAge(text string) (seconds uint32, err error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil {
		return uint32(n), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d%time.Second != 0 || d/time.Second > math.MaxUint32 {
		return 0, usagef("--age: %q is not an age; accepted: whole seconds, or a duration as in 90s, 36h, 1h30m", text)
	}
	return uint32(d / time.Second), nil
}

// mark marks the pages, and says how many are idle then.
func mark(w io.Writer, name string, dir ctldir.Dir, age uint32, given bool) error {
	value := "all"
	if given {
		value = strconv.FormatUint(uint64(age), 10)
	}
	if err := dir.Write("idle", value); err != nil {
		return fmt.Errorf("%s: %w", name, deadOr(name, err))
	}
	c, err := takeCensus(dir, func(p zramabi.PageState) bool { return p.Idle })
	if err != nil {
		return deadOr(name, err)
	}
	verb := "are"
	if c.picked == 1 {
		verb = "is"
	}
	_, err = fmt.Fprintf(w, "%s: %s %s idle, %s\n", name, plural(c.picked), verb, c.dataInMemory(math.MaxUint64))
	return err
}

// wouldMark says what mark would do.
func wouldMark(w io.Writer, name string, dir ctldir.Dir, age uint32, given bool) error {
	before := uint64(math.MaxUint64)
	if given {
		now, err := bootSeconds()
		if err != nil {
			return err
		}
		if uint64(age) >= now {
			_, err := fmt.Fprintf(w, "%s: would change no mark: the machine is up for %d seconds only\n", name, now)
			return err
		}
		before = now - uint64(age)
	}
	c, err := takeCensus(dir, idlePicks(before))
	if err != nil {
		return deadOr(name, err)
	}
	_, err = fmt.Fprintf(w, "%s: would mark %s as idle, %s\n", name, plural(c.picked), c.dataInMemory(math.MaxUint64))
	return err
}

// dataInMemory is the size of the pages that a run takes, and of their objects.
func (c *census) dataInMemory(most uint64) string {
	pages, bytes := c.largest(most)
	return fmt.Sprintf("%s of data in %s of memory", data(pages), size.Format(bytes))
}

// bootSeconds is the clock of last accesses.
func bootSeconds() (uint64, error) {
	var ts unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return uint64(ts.Sec), err
}
