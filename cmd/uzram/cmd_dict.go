package main

import (
	"slices"
	"strconv"
	"strings"

	"uzram/compress"
	"uzram/internal/dictionary"
	"uzram/internal/size"

	"github.com/urfave/cli/v2"
)

func dictCommand() *cli.Command {
	return &cli.Command{
		Name:        "dict",
		Usage:       "make dictionaries for the algorithms that take one",
		UsageText:   "uzram dict train -o FILE [flags] DIR|FILE ...",
		Description: "Has one verb of its own, train.\n\nExample:\n\n  uzram dict train -o /etc/uzram.dict /run/z",
		Subcommands: []*cli.Command{dictTrainCommand()},
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("dict needs a verb; accepted: train")
			}
			return usagef("unknown verb %q of dict; accepted: train", c.Args().First())
		},
	}
}

func dictTrainCommand() *cli.Command {
	return &cli.Command{
		Name:            "train",
		Usage:           "make a dictionary from pages of a live disk or of files, and say what it saves",
		UsageText:       "uzram dict train -o FILE [flags] DIR|FILE ...",
		HideHelpCommand: true,
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return badFlag("uzram dict train", err) },
		Description: "Takes pages evenly from all that the arguments hold: a directory that a uzram is mounted on, or files (images of\n" +
			"memory or disks, core dumps, any), which are cut in pages of 4096 bytes; what is left at a file's end is dropped. A\n" +
			"fifth of them, chosen by place, is held out: the dictionary is made from the others and judged by these. It is\n" +
			"written even if it does not help; the report says so. A dictionary helps where pages are of one kind, and is\n" +
			"hardly worth it for a mixed swap; without a gain of 1 % it only costs time.\n\n" +
			"Of a disk, pages are read that lie in memory and are not same-filled. Reading is an access like any other, and there\n" +
			"is no way around it: a page that was marked idle loses the mark and counts as just used. With --spare-idle such\n" +
			"pages are left alone. The contents are not changed.\n\n" +
			"FILE holds parts of the pages it was made from and is for you alone to read (mode 0600). A daemon that is to use it\n" +
			"must be able to read it.\n\n" +
			"Example: learn from a disk, then set up another that uses it\n\n" +
			"  uzram dict train -o /etc/uzram.dict /run/z\n" +
			"  uzram mount --algorithm zstd --set 'algorithm_params=dict=/etc/uzram.dict' --disksize 1G /run/y",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write the dictionary to `FILE`; -o FILE is the same"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "force", Usage: "replace FILE if it exists"},
			&cli.StringFlag{Name: "size", Usage: "make it `SIZE` large at most, up to 64K (default: 32K)"},
			&cli.StringFlag{Name: "algorithm", Usage: "make it for `NAME`: zstd, lz4 or lz4hc (default: zstd)"},
			&cli.StringFlag{Name: "level", Usage: "judge it at level `N` (default: the algorithm's own)"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "raw", Usage: "for zstd: leave out the entropy tables, so that all of it is content"},
			&cli.StringFlag{Name: "samples", Usage: "take `N` pages at most, up to 16384 (default: 8192)"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "spare-idle", Usage: "of a disk, take no page that is marked idle"},
			&cli.BoolFlag{DisableDefaultText: true, Name: "json", Usage: "print one JSON object"},
		},
		Action: func(c *cli.Context) error {
			t, err := parseTraining(c)
			if err != nil {
				return err
			}
			r, err := t.run()
			if err != nil {
				return err
			}
			return r.print(c.App.Writer, c.Bool("json"))
		},
	}
}

// dictAlgorithms are those that take a dictionary.
var dictAlgorithms = []string{"zstd", "lz4", "lz4hc"}

// training is what a user asks for.
type training struct {
	from      []string
	to        string // absolute
	force     bool
	size      int // bytes
	algorithm string
	params    compress.Params // without dictionary
	raw       bool
	samples   int // pages
	spareIdle bool
}

// parseTraining reads flags and arguments.
func parseTraining(c *cli.Context) (*training, error) {
	t := &training{
		force: c.Bool("force"), size: 32 << 10, algorithm: dictAlgorithms[0], raw: c.Bool("raw"), samples: 8192, spareIdle: c.Bool("spare-idle"),
	}
	for _, parse := range []func(*cli.Context) error{t.parseSize, t.parseSamples, t.parseAlgorithm, t.parseLevel, t.parseFrom, t.parseTo} {
		if err := parse(c); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *training) parseSize(c *cli.Context) error {
	if !c.IsSet("size") {
		return nil
	}
	n, err := size.Parse(c.String("size"))
	if err != nil {
		return usagef("--size: %w", err)
	}
	if n < dictionary.LeastSize || n > dictionary.MaxSize {
		return usagef("--size: it must be from %d to %d bytes", dictionary.LeastSize, dictionary.MaxSize)
	}
	t.size = int(n)
	return nil
}

func (t *training) parseSamples(c *cli.Context) error {
	if !c.IsSet("samples") {
		return nil
	}
	const least = dictionary.LeastTrained + dictionary.LeastHeld
	n, err := strconv.Atoi(c.String("samples"))
	if err != nil || n < least || n > dictionary.MaxSample {
		return usagef("--samples: %q is not a number from %d to %d", c.String("samples"), least, dictionary.MaxSample)
	}
	t.samples = n
	return nil
}

func (t *training) parseAlgorithm(c *cli.Context) error {
	if c.IsSet("algorithm") {
		t.algorithm = c.String("algorithm")
	}
	if !slices.Contains(dictAlgorithms, t.algorithm) {
		return usagef("--algorithm: %q takes no dictionary; accepted: %s", t.algorithm, strings.Join(dictAlgorithms, ", "))
	}
	if t.raw && t.algorithm != "zstd" {
		return usagef("--raw is for zstd only: a dictionary for %s is always content alone", t.algorithm)
	}
	return nil
}

func (t *training) parseLevel(c *cli.Context) error {
	if !c.IsSet("level") {
		return nil
	}
	n, err := strconv.ParseInt(c.String("level"), 10, 32)
	codec, known := compress.Lookup(t.algorithm)
	t.params.Level, t.params.HasLevel = int32(n), true
	if err != nil || !known || codec.Check(t.params) != nil {
		return usagef("--level: %s has no level %q", t.algorithm, c.String("level"))
	}
	return nil
}

func (t *training) parseFrom(c *cli.Context) error {
	t.from = c.Args().Slice()
	for _, a := range t.from {
		switch {
		case a == "":
			return usagef("dict train: the name of a directory or file is empty")
		case strings.HasPrefix(a, "-"):
			return usagef("dict train: flags stand before the directories and files, so %q is not accepted there (one of that name is ./%s)",
				a, a)
		}
	}
	if len(t.from) == 0 {
		return usagef("dict train needs something to learn from, directories with a uzram on them or files: %s", c.Command.UsageText)
	}
	return nil
}

func (t *training) parseTo(c *cli.Context) (err error) {
	name := c.String("output")
	if name == "" {
		return usagef("dict train needs -o FILE, the file to write: %s", c.Command.UsageText)
	}
	t.to, err = dictTarget(name, t.force)
	return err
}
