package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/size"

	"github.com/urfave/cli/v2"
)

func addCommand() *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "add a device to a mount of many, and print its number",
		UsageText: "uzram add DIR [flags]",
		Description: "Reads DIR/class/zram-control/hot_add, which makes a device with the lowest free number N, sets it up through the\n" +
			"files in DIR/block/zramN as the flags say, and prints N. If a setting is refused the device goes again. DIR is a mount\n" +
			"--multi; /sys stands for the kernel's devices. Flags may stand behind DIR, and -s and -a are short for --size and\n" +
			"--algorithm.\n\nExample:\n\n  uzram add /run/z --size 1G --algorithm zstd",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "size", Aliases: []string{"s"}, Usage: "make the disk `SIZE` large; without it, write disksize later"},
			&cli.StringFlag{Name: "algorithm", Aliases: []string{"a"}, Usage: "compress with `NAME`"},
		},
		Action: addAction,
	}
}

func addAction(c *cli.Context) error {
	args, err := flagsBehind(c)
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0 || args[0] == "":
		return usagef("add needs a directory: %s", c.Command.UsageText)
	case len(args) > 1:
		return usagef("add takes one directory: %s", c.Command.UsageText)
	}
	var list []setting
	if c.IsSet("algorithm") {
		list = append(list, setting{"comp_algorithm", c.String("algorithm")})
	}
	if c.IsSet("size") {
		n, err := size.Parse(c.String("size"))
		if err == nil && n == 0 {
			err = errors.New("it must be above 0")
		}
		if err != nil {
			return usagef("--size: %w", err)
		}
		list = append(list, setting{"disksize", strconv.FormatUint(n, 10)})
	}
	dir, err := multiArg(args[0])
	if err != nil {
		return err
	}
	number, err := addDevice(dir, list)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.App.Writer, number)
	return err
}

// flagsBehind returns the arguments of a verb whose flags may also stand behind them, which the library does not know.
func flagsBehind(c *cli.Context) (args []string, err error) {
	rest := c.Args().Slice()
	for len(rest) > 0 {
		word := rest[0]
		rest = rest[1:]
		if !strings.HasPrefix(word, "-") || word == "-" {
			args = append(args, word)
			continue
		}
		name, value, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
		flag, takesValue := flagNamed(c.Command.Flags, name)
		switch {
		case flag == "":
			return nil, usagef("unknown flag -%s; see uzram %s --help", name, c.Command.Name)
		case given:
		case !takesValue:
			value = "true"
		case len(rest) == 0:
			return nil, usagef("--%s needs a value", flag)
		default:
			value, rest = rest[0], rest[1:]
		}
		if err := c.Set(flag, value); err != nil {
			return nil, usagef("--%s: %w", flag, err)
		}
	}
	return args, nil
}

// flagNamed returns the long name of a flag and whether a value follows it, "" if there is none of that name.
func flagNamed(flags []cli.Flag, name string) (long string, takesValue bool) {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			doc, ok := f.(cli.DocGenerationFlag)
			return f.Names()[0], ok && doc.TakesValue()
		}
	}
	return "", false
}

// addDevice makes a device with these settings.
func addDevice(multi ctldir.Dir, list []setting) (number int, err error) {
	text, err := multi.Read(hotAdd)
	if err != nil {
		return 0, deadOr(multi.Path(), err)
	}
	if number, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
		return 0, fmt.Errorf("%s/%s: %.20q is no number", multi.Path(), hotAdd, text)
	}
	if err := apply(deviceOf(multi, number), list); err != nil {
		return 0, errors.Join(err, multi.Write(hotRemove, strconv.Itoa(number)))
	}
	return number, nil
}
