package main

import (
	"errors"

	"github.com/urfave/cli/v2"
)

func listCommand() *cli.Command {
	return &cli.Command{
		Name:                   "list",
		Usage:                  "list the devices of all mounts and those of the kernel, as zramctl does",
		UsageText:              "uzram list [flags] [DIR | /dev/zramN ...]",
		UseShortOptionHandling: true,
		Description: "Lists what is set up: all uzram devices and the kernel's zram devices; with arguments, those named, set up or not.\n" +
			"A DIR of many devices stands for all of them. Flags are those of zramctl, the short ones too: -o, -n, -b, and may\n" +
			"stand behind the names. Without --output the columns are\n" + defaultColumns + ".\n" +
			"With --json sizes are numbers if --bytes is given, and else text.\n\n" +
			"Columns:\n\n" + columnHelp() + "\n\n" +
			"Example:\n\n  uzram list --output name,data,total,ratio,saved",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "show the columns of `LIST`, names with commas between"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "output-all", Usage: "show all columns"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "raw", Usage: "do not align: one blank between values, blanks within them as \\x20"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "noheadings", Aliases: []string{"n"}, Usage: "leave the line of headings out"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "bytes", Aliases: []string{"b"}, Usage: "show sizes in bytes"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "print one JSON object"},
		},
		Action: listAction,
	}
}

func listAction(c *cli.Context) error {
	args, err := flagsBehind(c)
	if err != nil {
		return err
	}
	style, err := parseListStyle(c)
	if err != nil {
		return err
	}
	devices, problems, err := listedBy(args)
	if err != nil {
		return err
	}
	u, err := findUses()
	if err != nil {
		return err
	}
	var rows []listedRow
	for _, d := range devices {
		row, ok, err := readRow(d, u, len(args) == 0)
		switch {
		case err != nil:
			problems = append(problems, err)
		case ok:
			rows = append(rows, row)
		}
	}
	print := style.table
	switch {
	case c.Bool("json"):
		print = style.json
	case c.Bool("raw"):
		print = style.raw
	}
	if len(rows) > 0 || c.Bool("json") {
		problems = append(problems, print(c.App.Writer, rows))
	}
	return errors.Join(problems...)
}

func parseListStyle(c *cli.Context) (s listStyle, err error) {
	s = listStyle{columns: listColumns, bytes: c.Bool("bytes"), noHeadings: c.Bool("noheadings")}
	switch {
	case c.Bool("json") && c.Bool("raw"):
		return s, usagef("list: --json and --raw exclude each other")
	case c.Bool("output-all") && c.IsSet("output"):
		return s, usagef("list: --output and --output-all exclude each other")
	case c.Bool("output-all"):
		return s, nil
	}
	names := defaultColumns
	if c.IsSet("output") {
		names = c.String("output")
	}
	s.columns, err = chooseColumns(names)
	return s, err
}

// listedBy returns the devices that the arguments name, without any all that there are.
func listedBy(args []string) (list []listedDevice, problems []error, err error) {
	if len(args) == 0 {
		list, problems = allDevices()
		return list, problems, nil
	}
	for _, arg := range args {
		if arg == "" {
			return nil, nil, usagef("list: the name of a directory is empty")
		}
		found, err := namedDevices(arg)
		if err != nil {
			return nil, nil, err
		}
		list = append(list, found...)
	}
	return list, nil, nil
}
