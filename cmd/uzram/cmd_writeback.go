package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/size"
	"uzram/internal/zramabi"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// writebackTypes are the kinds of pages that can be written back.
var writebackTypes = []string{"idle", "huge", "huge_idle", "incompressible"}

func writebackCommand() *cli.Command {
	return &cli.Command{
		Name:      "writeback",
		Usage:     "move pages from memory to the backing device",
		UsageText: "uzram writeback [flags] DIR ...",
		Description: "Writes to DIR/writeback: the pages of one type, those with the largest objects first, or the pages of --pages\n" +
			"whatever they are. Pages that are same-filled or on the backing device already are left alone. Reading a page that was\n" +
			"written back reads the backing device. Prints what was done. With several directories all are done, one after the\n" +
			"other, whatever happens to the others.\n\n" +
			"--budget and --batch hold for this run alone; a writeback_limit that is switched on holds too, and what is written\n" +
			"counts against it. Running out of budget is no error.\n\n" +
			postNotes +
			"Example: move what nobody used for an hour, 512 MiB at most\n\n" +
			"  uzram mount --detach --backing-dev /var/lib/uzram.back:8G --disksize 4G /run/z\n" +
			"  uzram idle --age 1h /run/z && uzram writeback --budget 512M /run/z",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "type", Usage: "write back pages of `TYPE`: " + strings.Join(writebackTypes, ", ") + " (default: idle)"},
			&cli.StringSliceFlag{Name: "pages", Usage: "write back the pages `LO-HI`, both included, in place of a type; may be repeated"},
			&cli.StringFlag{Name: "budget", Usage: "write `SIZE` at most"},
			&cli.StringFlag{Name: "batch", Usage: "have `N` blocks of 4096 bytes on their way at a time (default: writeback_batch_size)"},
			dryRunFlag("write back"),
		},
		Action: func(c *cli.Context) error {
			command, o, err := parseWriteback(c)
			if err != nil {
				return err
			}
			return eachDir(c, func(name string, dir ctldir.Dir) error {
				p := &post{name: name, dir: dir, verb: "writeback", command: command, child: o, stdout: c.App.Writer, stderr: c.App.ErrWriter}
				packed, err := p.prepareWriteback()
				if err != nil {
					return err
				}
				if c.Bool("dry-run") {
					return p.wouldWriteBack(packed)
				}
				return p.run()
			})
		},
	}
}

// postNotes are for all verbs that run for long.
const postNotes = "On a terminal a bar shows how far a long run is. Nothing but a reset, which empties the disk, stops a run: after SIGINT the\n" +
	"daemon goes on with it.\n\n"

// parseWriteback returns the command for DIR/writeback and what holds for the run.
func parseWriteback(c *cli.Context) (command setting, o childOptions, err error) {
	command = setting{"writeback", "type=idle"}
	kind := c.String("type")
	switch {
	case c.IsSet("type") && c.IsSet("pages"):
		return command, o, usagef("writeback takes a --type or --pages, not both")
	case c.IsSet("type") && !slices.Contains(writebackTypes, kind):
		return command, o, usagef("--type: %q is none; accepted: %s", kind, strings.Join(writebackTypes, ", "))
	case c.IsSet("type"):
		command.value = "type=" + kind
	case c.IsSet("pages"):
		if command.value, err = pageRanges(c.StringSlice("pages")); err != nil {
			return command, o, err
		}
	}
	if c.IsSet("budget") {
		n, err := size.Parse(c.String("budget"))
		if err != nil {
			return command, o, usagef("--budget: %w", err)
		}
		if o.budget = n / pageSize; o.budget == 0 {
			return command, o, usagef("--budget: it must be at least %d bytes", pageSize)
		}
	}
	if c.IsSet("batch") {
		if o.batch, err = strconv.ParseUint(c.String("batch"), 10, 32); err != nil || o.batch == 0 {
			return command, o, usagef("--batch: %q is not a number of blocks from 1 to %d", c.String("batch"), uint32(math.MaxUint32))
		}
	}
	return command, o, nil
}

// pageRanges makes a command of ranges LO-HI and single pages.
func pageRanges(list []string) (string, error) {
	var words []string
	for _, text := range list {
		first, last, isRange := strings.Cut(text, "-")
		if !isRange {
			last = first
		}
		lo, err1 := strconv.ParseUint(first, 10, 64)
		hi, err2 := strconv.ParseUint(last, 10, 64)
		if err1 != nil || err2 != nil || lo > hi {
			return "", usagef("--pages: %q is no range of pages; accepted is LO-HI, as in 0-1023, or a single number", text)
		}
		words = append(words, fmt.Sprintf("page_indexes=%d-%d", lo, hi))
	}
	return strings.Join(words, " "), nil
}

// prepareWriteback checks what can be checked, and fills in how the run is to be watched. packed says that a block may hold
// several pages.
func (p *post) prepareWriteback() (packed bool, err error) {
	pages, err := needSetUp(p.name, p.dir)
	if err != nil {
		return false, err
	}
	device, err := p.dir.Read("backing_dev")
	if err != nil {
		return false, deadOr(p.name, err)
	}
	if strings.TrimSpace(device) == "none" {
		return false, fmt.Errorf("%s has no backing device; uzram mount --backing-dev gives it one", p.name)
	}
	w, err := zramabi.ParseWriteback(p.command.value, pages)
	if errors.Is(err, unix.ERANGE) {
		return false, usagef("--pages: %s has pages 0 to %d only", p.name, pages-1)
	}
	if err != nil {
		return false, err
	}
	p.picks, p.report = writebackPicks(w), wroteBack
	if packed, err = p.packs(); err != nil {
		return false, err
	}
	p.most = math.MaxUint64
	if packed {
		return packed, nil
	}
	p.progress = func(before, now *figures) uint64 { return less(now.bd.Writes, before.bd.Writes) }
	if p.child.budget > 0 {
		p.most = p.child.budget
	}
	limit, limited, err := writebackLimit(p.dir)
	if err == nil && limited {
		p.most = min(p.most, limit)
	}
	return packed, err
}

// packs reports whether a block may hold several pages.
func (p *post) packs() (bool, error) {
	for _, attr := range []string{"compressed_writeback", "writeback_pack"} {
		text, err := p.dir.Read(attr)
		if err != nil {
			return false, deadOr(p.name, err)
		}
		if strings.TrimSpace(text) != "1" {
			return false, nil
		}
	}
	return true, nil
}

// wouldWriteBack says what a run would do.
func (p *post) wouldWriteBack(packed bool) error {
	c, err := takeCensus(p.dir, p.picks)
	if err != nil {
		return deadOr(p.name, err)
	}
	pages, bytes := c.largest(p.most)
	written := data(pages)
	if packed {
		written = size.Format(bytes) + " or more"
	}
	note := ""
	switch {
	case pages < c.picked:
		note = fmt.Sprintf("; the budget leaves %s out", plural(c.picked-pages))
	case packed && p.child.budget > 0 && bytes > p.child.budget*pageSize:
		note = "; the budget ends it before"
	}
	_, err = fmt.Fprintf(p.stdout, "%s: would write %s back, %s; their objects take %s of memory%s\n",
		p.name, plural(pages), written, size.Format(bytes), note)
	return err
}

// wroteBack says what a run did.
func wroteBack(before, after *figures) string {
	return fmt.Sprintf("wrote %s back, %s, and %s of memory came free", plural(less(after.census.back, before.census.back)),
		data(less(after.bd.Writes, before.bd.Writes)), size.Format(less(before.mm.MemUsedTotal, after.mm.MemUsedTotal)))
}
