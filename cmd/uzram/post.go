package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"uzram/internal/ctldir"
	"uzram/internal/size"
	"uzram/internal/zramabi"

	"github.com/urfave/cli/v2"
)

// A run of writeback or recompression is one write to a control file, which returns when the run ends. Nothing can stop
// it, and a process that waits in it cannot be killed. So a child writes, in a session of its own that the terminal's
// Ctrl-C does not reach (post_child.go), while this process reads how far the run is, and may go.

// post is a run on one device.
type post struct {
	name     string // of the directory, as the user gave it
	dir      ctldir.Dir
	verb     string // for the bar
	command  setting
	child    childOptions
	picks    picker
	most     uint64 // pages that it stops after
	stdout   io.Writer
	stderr   io.Writer
	progress func(before, now *figures) uint64 // pages done; nil: those that are not picked any more
	report   func(before, after *figures) string
}

// figures are what a run changes.
type figures struct {
	mm     zramabi.MMStat
	bd     zramabi.BDStat
	census *census
}

// stats reads all but the census.
func (p *post) stats() (*figures, error) {
	f := new(figures)
	mm, err := p.dir.Read("mm_stat")
	if err == nil {
		f.mm, err = zramabi.ParseMMStat(mm)
	}
	if err != nil {
		return nil, deadOr(p.name, err)
	}
	bd, err := p.dir.Read("bd_stat")
	if err == nil {
		f.bd, err = zramabi.ParseBDStat(bd)
	}
	return f, deadOr(p.name, err)
}

// figures reads all.
func (p *post) figures() (*figures, error) {
	f, err := p.stats()
	if err == nil {
		f.census, err = takeCensus(p.dir, p.picks)
		err = deadOr(p.name, err)
	}
	return f, err
}

// run does it and says what came of it, even if it failed half way.
func (p *post) run() error {
	before, err := p.figures()
	if err != nil {
		return err
	}
	start := time.Now()
	note, err := p.work(before)
	if errors.Is(err, errInterrupted) {
		return err
	}
	took := time.Since(start)
	if err != nil {
		err = fmt.Errorf("%s: %w", p.name, err)
	}
	after, ferr := p.figures()
	if ferr != nil {
		return errors.Join(err, ferr)
	}
	if note != "" {
		note = "; " + note
	}
	_, werr := fmt.Fprintf(p.stdout, "%s: %s, in %s%s\n", p.name, p.report(before, after), roundTime(took), note)
	return errors.Join(err, werr)
}

// errInterrupted says that the user went before the run was done.
var errInterrupted = errors.New("interrupted")

// Pauses between two looks at a run. A look that is expensive is rare.
const (
	lookEvery  = 500 * time.Millisecond
	lookBudget = 20
)

// work has a child do the run and shows how far it is. note is what the child has to add.
func (p *post) work(before *figures) (note string, err error) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	child, err := startPost(p.dir.Path(), p.command, p.child)
	if err != nil {
		return "", err
	}
	total, _ := before.census.largest(p.most)
	progress := newBar(p.stderr, p.verb, total)
	defer progress.clear()
	next := time.NewTimer(lookEvery)
	defer next.Stop()
	for {
		select {
		case <-child.done:
			return child.result()
		case <-signals:
			return "", fmt.Errorf("%w, but the daemon goes on with the run, which cannot be stopped; %s is in use until its end",
				errInterrupted, p.name)
		case <-next.C:
			if progress == nil {
				continue
			}
			began := time.Now()
			if done, err := p.done(before); err == nil { // else the child says what is wrong
				progress.set(done)
			}
			next.Reset(max(lookEvery, lookBudget*time.Since(began)))
		}
	}
}

// done is how many pages are.
func (p *post) done(before *figures) (uint64, error) {
	read := p.stats
	if p.progress == nil {
		read = p.figures
	}
	now, err := read()
	switch {
	case err != nil:
		return 0, err
	case p.progress == nil:
		return less(before.census.picked, now.census.picked), nil
	}
	return p.progress(before, now), nil
}

// less is by how much a figure fell, or rose if the two are swapped; use of the disk meanwhile may make it nothing.
func less(before, after uint64) uint64 { return max(before, after) - after }

// roundTime is a time as one reads it.
func roundTime(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

// plural counts pages in words.
func plural(pages uint64) string {
	if pages == 1 {
		return "1 page"
	}
	return fmt.Sprintf("%d pages", pages)
}

// data is the size of pages when they are not compressed.
func data(pages uint64) string { return size.Format(pages * pageSize) }

// pageSize is that of every disk, in bytes.
const pageSize = 4096

// eachDir does something for each directory that a verb was given, whatever happens to the others; an interrupt ends it.
func eachDir(c *cli.Context, do func(name string, dir ctldir.Dir) error) error {
	names, err := dirArgs(c, -1)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		dir, err := deviceArg(name)
		if err == nil {
			err = do(name, dir)
		}
		errs = append(errs, err)
		if errors.Is(err, errInterrupted) {
			break
		}
	}
	return errors.Join(errs...)
}

// needSetUp returns an error for a device without disksize, else how many pages it has.
func needSetUp(name string, dir ctldir.Dir) (pages uint64, err error) {
	text, err := dir.Read("disksize")
	if err != nil {
		return 0, deadOr(name, err)
	}
	bytes, err := zramabi.ParseU10(text, 64)
	if err == nil && bytes == 0 {
		err = fmt.Errorf("%s is not set up: there is nothing to do before its disksize is written", name)
	}
	return bytes / pageSize, err
}

// child is a process that does a run.
type child struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	done           chan struct{}
	err            error // valid once done is closed
}

// startPost starts a child for a run.
func startPost(dir string, command setting, o childOptions) (*child, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(exe, o.args(dir, command)...), done: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
}

// result is what a child that has ended says.
func (c *child) result() (note string, err error) {
	if c.err != nil {
		return "", childError(c.err, c.stderr.String())
	}
	return strings.TrimSpace(c.stdout.String()), nil
}
