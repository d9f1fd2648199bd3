package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"uzram/test/bench/internal/binary"
	"uzram/test/bench/internal/program"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/undo"
)

type options struct {
	devices int
	cycles  int
	loops   []bool
	binary  string
}

func main() { program.Main("bench-devices", parse, run) }

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-devices", flag.ContinueOnError)
	f.IntVar(&o.devices, "devices", 1000, "at a time")
	f.IntVar(&o.cycles, "cycles", 10000, "of adding, setting up and removing one")
	loop := f.String("loop", "both", "with loop devices: yes, no or both")
	f.StringVar(&o.binary, "uzram", filepath.Join("bin", "uzram"), "the program")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	loops, ok := map[string][]bool{"yes": {true}, "no": {false}, "both": {false, true}}[*loop]
	o.loops = loops
	switch {
	case !ok:
		return o, fmt.Errorf("loop %q: want yes, no or both", *loop)
	case o.devices < 1 || o.devices > 4096:
		return o, fmt.Errorf("devices %d: want 1 to 4096", o.devices)
	case o.cycles < 1:
		return o, fmt.Errorf("cycles %d: want at least 1", o.cycles)
	}
	return o, nil
}

func run(ctx context.Context, o options) (err error) {
	var cleanup undo.Stack
	defer func() { err = errors.Join(err, cleanup.Unwind()) }()
	for _, loop := range o.loops {
		m := &mount{options: o, loop: loop}
		if err := m.measure(ctx, &cleanup); err != nil {
			return err
		}
	}
	return nil
}

// mount is a mount with many devices.
type mount struct {
	options
	loop bool
	dir  string
}

func (m *mount) measure(ctx context.Context, cleanup *undo.Stack) (err error) {
	if m.dir, err = os.MkdirTemp("", "bench-devices-"); err != nil {
		return err
	}
	cleanup.Push("remove "+m.dir, func() error { return os.Remove(m.dir) })
	before, err := loopNumbers()
	if err != nil {
		return err
	}
	cleanup.Push("remove loop devices", func() error { return removeLoops(before) })
	args := []string{"mount", "--detach", "--standby", "--multi", "--devices", "0"}
	name := "no loop devices"
	if m.loop {
		args, name = append(args, "--loop"), "own loop devices"
	}
	if _, err := binary.Run(ctx, m.binary, nil, append(args, m.dir)...); err != nil {
		return err
	}
	mounted := true
	cleanup.Push("unmount "+m.dir, func() error {
		if mounted {
			return binary.Unmount(m.binary, m.dir)
		}
		return nil
	})
	fmt.Printf("%s\n\n", name)
	if err := m.thousand(ctx); err != nil {
		return err
	}
	if err := m.cycling(ctx, strings.ReplaceAll(name, " ", "_")); err != nil {
		return err
	}
	mounted = false
	return binary.Unmount(m.binary, m.dir)
}

// thousand makes as many devices as there are to be at a time, sets them up, and
// removes them.
func (m *mount) thousand(ctx context.Context) error {
	var rows [][]string
	show := func(what string) error {
		f, err := m.figures()
		rows = append(rows, append([]string{what}, f.cells()...))
		return errors.Join(err, ctx.Err())
	}
	if err := show("no device"); err != nil {
		return err
	}
	numbers := make([]string, m.devices)
	for i := range numbers {
		var err error
		if numbers[i], err = m.add(); err != nil {
			return err
		}
	}
	if err := show(fmt.Sprintf("%d idle", m.devices)); err != nil {
		return err
	}
	for _, n := range numbers {
		if err := m.setUp(n); err != nil {
			return err
		}
	}
	if err := show(fmt.Sprintf("%d set up", m.devices)); err != nil {
		return err
	}
	for _, n := range numbers {
		if err := m.remove(n); err != nil {
			return err
		}
	}
	if err := show("all removed"); err != nil {
		return err
	}
	report.Table(os.Stdout, figureHead, rows)
	return nil
}
