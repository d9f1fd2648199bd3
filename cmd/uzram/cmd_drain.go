package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/size"

	"github.com/urfave/cli/v2"
)

func drainCommand() *cli.Command {
	return &cli.Command{
		Name:      "drain",
		Usage:     "move all pages from memory to the backing device",
		UsageText: "uzram drain [flags] DIR ...",
		Description: "Writes to DIR/writeback for all pages, whatever they are: recompressed ones as they are. Same-filled pages take no\n" +
			"memory and stay. What is written while it runs is taken in a further round. Prints what was done, and what stays in\n" +
			"memory: exit code 1 if anything does, because it does not fit or a writeback_limit that is switched on is used up.\n" +
			"With several directories all are done, one after the other, whatever happens to the others.\n\n" +
			postNotes +
			"Example: before the machine hibernates\n\n" +
			"  uzram drain /run/z || echo 'not all of it fits'",
		Flags: []cli.Flag{dryRunFlag("write to the backing device, and how many do not fit")},
		Action: func(c *cli.Context) error {
			return eachDir(c, func(name string, dir ctldir.Dir) error {
				p := &post{name: name, dir: dir, verb: "drain", stdout: c.App.Writer, stderr: c.App.ErrWriter}
				d, err := p.prepareDrain()
				if err != nil {
					return err
				}
				if c.Bool("dry-run") {
					return d.foretell()
				}
				return d.run()
			})
		},
	}
}

// drain is the run that leaves no page in memory.
type drain struct {
	*post
	packed bool
	free   uint64 // blocks of the backing device that may still be written
	limit  bool   // that many because of writeback_limit
}

// drainRounds bounds how often a drain begins anew for pages that were written meanwhile: a disk in full use is never empty.
const drainRounds = 4

// prepareDrain checks what can be checked.
func (p *post) prepareDrain() (*drain, error) {
	pages, err := needSetUp(p.name, p.dir)
	if err != nil {
		return nil, err
	}
	p.command = setting{"writeback", "page_indexes=0-" + strconv.FormatUint(pages-1, 10)}
	packed, err := p.prepareWriteback()
	if err != nil {
		return nil, err
	}
	d := &drain{post: p, packed: packed}
	return d, d.room()
}

// room learns how many blocks may still be written.
func (d *drain) room() error {
	st, err := readStatus(d.dir.Path())
	if err != nil {
		return deadOr(d.name, err)
	}
	all, _ := st.Stats.Get("backing_blocks")
	used, _ := st.Stats.Get("backing_used")
	d.free = less(all, used)
	limit, limited, err := writebackLimit(d.dir)
	if err != nil {
		return deadOr(d.name, err)
	}
	d.limit = limited && limit < d.free
	if d.limit {
		d.free = limit
	}
	return nil
}

// foretell says what a run would do. How many objects a block will hold is not known before: as many as their mean size
// says, if they can share it.
func (d *drain) foretell() error {
	c, err := takeCensus(d.dir, d.picks)
	if err != nil {
		return deadOr(d.name, err)
	}
	_, all := c.largest(c.picked)
	fit, about := d.free, ""
	if d.packed && all > d.free*pageSize {
		fit, about = max(fit, uint64(float64(c.picked)*float64(d.free*pageSize)/float64(all))), "about "
	}
	pages, bytes := c.largest(fit)
	if about != "" {
		bytes = uint64(float64(all) * float64(pages) / float64(c.picked))
	}
	text := fmt.Sprintf("would write %s%s to the backing device; their objects take %s of memory", about, plural(pages), size.Format(bytes))
	if stay := c.picked - pages; stay > 0 {
		why := "do not fit"
		if d.limit {
			why = "are beyond writeback_limit"
		}
		text += fmt.Sprintf("; %s%s, %s of data, %s", about, plural(stay), data(stay), why)
	}
	_, err = fmt.Fprintf(d.stdout, "%s: %s\n", d.name, text)
	return err
}

// run does it, and is an error if anything stays in memory.
func (d *drain) run() error {
	var left census
	d.report = func(before, after *figures) string {
		left = *after.census
		return wroteBack(before, after)
	}
	for round, last := 1, uint64(math.MaxUint64); ; round++ {
		if err := d.post.run(); err != nil {
			return d.stayed(&left, err)
		}
		if err := d.room(); err != nil {
			return err
		}
		if left.picked == 0 || left.picked >= last || d.free == 0 || round == drainRounds {
			return d.stayed(&left, nil)
		}
		last = left.picked
	}
}

// stayed words what is left; err is how the run ended.
func (d *drain) stayed(left *census, err error) error {
	if left.picked == 0 {
		return err
	}
	_, bytes := left.largest(left.picked)
	text := fmt.Sprintf("%s stay in memory, whose objects take %s", plural(left.picked), size.Format(bytes))
	if left.picked == 1 {
		text = strings.Replace(text, "stay", "stays", 1)
	}
	if err != nil {
		return fmt.Errorf("%w; %s", err, text)
	}
	if d.free == 0 {
		if d.limit {
			return fmt.Errorf("%s: writeback_limit is used up; %s", d.name, text)
		}
		return fmt.Errorf("%s: the backing device is full; %s", d.name, text)
	}
	return fmt.Errorf("%s: the disk is in use: %s", d.name, text)
}
