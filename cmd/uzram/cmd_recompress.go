package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"uzram/internal/ctldir"
	"uzram/internal/size"
	"uzram/internal/zramabi"

	"github.com/urfave/cli/v2"
)

// recompressTypes are the kinds of pages that can be recompressed, besides all.
var recompressTypes = []string{"idle", "huge", "huge_idle"}

// maxThreshold is the largest object that is not stored as it is, in bytes.
const maxThreshold = zramabi.HugeSize - 1

func recompressCommand() *cli.Command {
	return &cli.Command{
		Name:      "recompress",
		Usage:     "compress pages again by a secondary algorithm",
		UsageText: "uzram recompress [flags] DIR ...",
		Description: "Writes to DIR/recompress, and to DIR/compact afterwards, because objects that became smaller leave holes. Takes the\n" +
			"pages with the largest objects first, and leaves alone those that are same-filled, on the backing device, compressed by\n" +
			"this or a later algorithm already, or marked as incompressible. A page that does not become smaller stays as it is.\n" +
			"Prints what was done. With several directories all are done, one after the other, whatever happens to the others.\n\n" +
			postNotes +
			"Example: zstd for what nobody used for ten minutes\n\n" +
			"  uzram mount --detach --recomp-algorithm 1:zstd --disksize 4G /run/z\n" +
			"  uzram idle --age 10m /run/z && uzram recompress --type idle /run/z",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "type", Usage: "only pages of `TYPE`: " + strings.Join(recompressTypes, ", ") + " (default: all)"},
			&cli.StringFlag{Name: "threshold", Usage: fmt.Sprintf("only pages whose object has `SIZE` or more, and only to below that, up to %d bytes", maxThreshold)},
			&cli.StringFlag{Name: "max-pages", Usage: "try `N` pages at most"},
			&cli.StringFlag{Name: "algorithm", Usage: "by the secondary algorithm `NAME`"},
			&cli.StringFlag{Name: "priority", Usage: "by the secondary algorithm of priority `N`: 1, 2 or 3 (default: 1)"},
			dryRunFlag("recompress"),
		},
		Action: func(c *cli.Context) error {
			q, err := parseRecompress(c)
			if err != nil {
				return err
			}
			return eachDir(c, func(name string, dir ctldir.Dir) error {
				p := &post{name: name, dir: dir, verb: "recompress", stdout: c.App.Writer, stderr: c.App.ErrWriter}
				algorithm, err := p.prepareRecompress(q)
				if err != nil {
					return err
				}
				if c.Bool("dry-run") {
					return p.wouldRecompress(algorithm)
				}
				return p.run()
			})
		},
	}
}

// recompressQuery is what a user asks for.
type recompressQuery struct {
	words     []string // of the command
	max       uint64   // pages
	algorithm string   // "" = any
	priority  int32    // 0 = any
}

func parseRecompress(c *cli.Context) (q recompressQuery, err error) {
	q.max = math.MaxUint64
	if c.IsSet("type") {
		kind := c.String("type")
		if !slices.Contains(recompressTypes, kind) {
			return q, usagef("--type: %q is none; accepted: %s", kind, strings.Join(recompressTypes, ", "))
		}
		q.words = append(q.words, "type="+kind)
	}
	if c.IsSet("threshold") {
		n, err := size.Parse(c.String("threshold"))
		if err != nil {
			return q, usagef("--threshold: %w", err)
		}
		if n > maxThreshold {
			return q, usagef("--threshold: it must be at most %d bytes; larger objects are stored as they are", maxThreshold)
		}
		q.words = append(q.words, "threshold="+strconv.FormatUint(n, 10))
	}
	if c.IsSet("max-pages") {
		if q.max, err = strconv.ParseUint(c.String("max-pages"), 10, 64); err != nil || q.max == 0 {
			return q, usagef("--max-pages: %q is not a number above 0", c.String("max-pages"))
		}
		q.words = append(q.words, "max_pages="+strconv.FormatUint(q.max, 10))
	}
	if c.IsSet("algorithm") {
		if q.algorithm = c.String("algorithm"); q.algorithm == "" {
			return q, usagef("--algorithm needs the name of an algorithm")
		}
	}
	if c.IsSet("priority") {
		n, err := strconv.ParseInt(c.String("priority"), 10, 32)
		if err != nil || n < 1 || n > 3 {
			return q, usagef("--priority: %q is not 1, 2 or 3", c.String("priority"))
		}
		q.priority = int32(n)
	}
	return q, nil
}

// prepareRecompress checks what can be checked, and fills in how the run is to be done and watched.
func (p *post) prepareRecompress(q recompressQuery) (algorithm string, err error) {
	if _, err := needSetUp(p.name, p.dir); err != nil {
		return "", err
	}
	text, err := p.dir.Read("recomp_algorithm")
	if err != nil {
		return "", deadOr(p.name, err)
	}
	all, err := zramabi.ParseRecompAlgorithms(text)
	if err != nil {
		return "", err
	}
	with, err := q.choose(p.name, all)
	if err != nil {
		return "", err
	}
	command := strings.Join(append(slices.Clone(q.words), "priority="+strconv.Itoa(int(with.Priority))), " ")
	r, err := zramabi.ParseRecompress(command)
	if err != nil {
		return "", err
	}
	p.command = setting{"recompress", command}
	p.child.compact = true
	p.picks, p.most = recompressPicks(r, with.Priority), q.max
	p.report = func(before, after *figures) string {
		return fmt.Sprintf("recompressed %s by %s, their objects are %s smaller, and %s of memory came free",
			plural(less(after.census.byPriority[with.Priority], before.census.byPriority[with.Priority])), with.Algo,
			size.Format(less(before.mm.ComprDataSize, after.mm.ComprDataSize)), size.Format(less(before.mm.MemUsedTotal, after.mm.MemUsedTotal)))
	}
	return with.Algo, nil
}

// choose returns the algorithm that is meant, out of those of the device, ascending by priority.
func (q recompressQuery) choose(name string, all []zramabi.RecompAlgorithm) (zramabi.RecompAlgorithm, error) {
	if len(all) == 0 {
		return zramabi.RecompAlgorithm{}, fmt.Errorf("%s has no secondary algorithm; uzram mount --recomp-algorithm gives it one", name)
	}
	var have []string
	for _, a := range all {
		priority := q.priority
		if priority == 0 && q.algorithm == "" {
			priority = 1
		}
		if (priority == 0 || priority == a.Priority) && (q.algorithm == "" || q.algorithm == a.Algo) {
			return a, nil
		}
		have = append(have, fmt.Sprintf("%d:%s", a.Priority, a.Algo))
	}
	return zramabi.RecompAlgorithm{}, usagef("%s has no such secondary algorithm; it has %s", name, strings.Join(have, ", "))
}

// wouldRecompress says what a run would do.
func (p *post) wouldRecompress(algorithm string) error {
	c, err := takeCensus(p.dir, p.picks)
	if err != nil {
		return deadOr(p.name, err)
	}
	pages, _ := c.largest(p.most)
	_, err = fmt.Fprintf(p.stdout, "%s: would recompress %s by %s, %s\n", p.name, plural(pages), algorithm, c.dataInMemory(p.most))
	return err
}
