package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/zramabi"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

// postVerb is for uzram itself and not listed.
const postVerb = "post"

// childOptions are settings of a run that hold for it alone.
type childOptions struct {
	budget  uint64 // blocks that it may write at most; 0 = as the device is set
	batch   uint64 // writeback_batch_size; 0 = as the device is set
	compact bool   // compact the pool afterwards
}

// args are those of the child.
func (o childOptions) args(dir string, command setting) []string {
	return []string{postVerb, "--budget", strconv.FormatUint(o.budget, 10), "--batch", strconv.FormatUint(o.batch, 10),
		"--compact=" + strconv.FormatBool(o.compact), dir, command.String()}
}

func postCommand() *cli.Command {
	return &cli.Command{
		Name:   postVerb,
		Hidden: true,
		Flags:  []cli.Flag{&cli.Uint64Flag{Name: "budget"}, &cli.Uint64Flag{Name: "batch"}, &cli.BoolFlag{Name: "compact"}},
		Action: func(c *cli.Context) error {
			if c.NArg() != 2 {
				return usagef("%s is for uzram itself", postVerb)
			}
			command, err := parseSetting(c.Args().Get(1))
			if err != nil {
				return err
			}
			o := childOptions{budget: c.Uint64("budget"), batch: c.Uint64("batch"), compact: c.Bool("compact")}
			note, err := o.perform(ctldir.Open(c.Args().First()), command)
			if err == nil && note != "" {
				fmt.Fprintln(c.App.Writer, note)
			}
			return err
		},
	}
}

// perform does a run. What it sets it sets back, whatever happens; note is what there is to say of a run that went well.
func (o childOptions) perform(dir ctldir.Dir, command setting) (note string, err error) {
	var undo []func() error
	defer func() {
		for _, u := range slices.Backward(undo) {
			err = errors.Join(err, u())
		}
	}()
	if o.batch > 0 {
		const attr = "writeback_batch_size"
		old, err := dir.Read(attr)
		if err != nil {
			return "", err
		}
		undo = append(undo, func() error { return dir.Write(attr, old) })
		if err := dir.Write(attr, strconv.FormatUint(o.batch, 10)); err != nil {
			return "", err
		}
	}
	if o.budget > 0 {
		restore, err := setBudget(dir, o.budget)
		undo = append(undo, restore)
		if err != nil {
			return "", err
		}
	}
	err = dir.Write(command.attr, command.value)
	if errors.Is(err, unix.EIO) && command.attr == "writeback" && budgetUsedUp(dir) {
		note, err = "the budget is used up", nil
	}
	if o.compact {
		err = errors.Join(err, dir.Write("compact", "1"))
	}
	return note, err
}

// setBudget lets so many blocks be written. A limit that holds already is not widened, and what is written counts against
// it. restore puts the limit back.
func setBudget(dir ctldir.Dir, blocks uint64) (restore func() error, err error) {
	restore = func() error { return nil }
	limit, limited, err := writebackLimit(dir)
	if err != nil || limited && limit <= blocks {
		return restore, err
	}
	put := func(limit uint64) error { return dir.Write("writeback_limit", strconv.FormatUint(limit, 10)) }
	if limited {
		restore = func() error {
			left, _, err := writebackLimit(dir)
			if err != nil {
				return err
			}
			return put(limit - blocks + left)
		}
		return restore, put(blocks)
	}
	restore = func() error { return errors.Join(dir.Write("writeback_limit_enable", "0"), put(limit)) }
	if err := put(blocks); err != nil {
		return restore, err
	}
	return restore, dir.Write("writeback_limit_enable", "1")
}

func budgetUsedUp(dir ctldir.Dir) bool {
	limit, limited, err := writebackLimit(dir)
	return err == nil && limited && limit == 0
}

// writebackLimit is how many blocks may still be written, and whether that holds.
func writebackLimit(dir ctldir.Dir) (blocks uint64, holds bool, err error) {
	var n [2]uint64
	for i, attr := range []string{"writeback_limit", "writeback_limit_enable"} {
		text, err := dir.Read(attr)
		if err == nil {
			n[i], err = zramabi.ParseU10(strings.TrimSuffix(text, "\n"), 64)
		}
		if err != nil {
			return 0, false, err
		}
	}
	return n[0], n[1] != 0, nil
}
