package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// config is what the Makefile passes on.
type config struct {
	uzram     string // the binary
	size      string // of the device, as --disksize takes it
	algorithm string
	dir, src  string
}

func main() {
	var c config
	flag.StringVar(&c.uzram, "uzram", "bin/uzram", "the uzram `binary`")
	flag.StringVar(&c.size, "size", "1G", "`size` of the device")
	flag.StringVar(&c.algorithm, "algorithm", "lz4", "compression `algorithm`")
	flag.StringVar(&c.dir, "dir", defaultDir(), "`directory` for the mounts; made if missing")
	flag.StringVar(&c.src, "src", "", "`tree` to copy in")
	down := flag.Bool("stop", false, "take the demo down")
	flag.Parse()

	// An ordinary PATH may lack the directories of mkfs and mount.
	os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer cancel()

	verb, do := "run", func() error { return run(ctx, c) }
	if *down {
		verb, do = "stop", func() error { return stop(c) }
	}
	if err := do(); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", verb, err)
		os.Exit(1)
	}
}

// run sets up, copies, verifies and reports; on an error nothing stays up.
func run(ctx context.Context, c config) (err error) {
	var undo undoList
	defer func() {
		if err != nil {
			undo.run()
		}
	}()
	p, err := makePlace(c.dir, &undo)
	if err != nil {
		return err
	}
	t, err := scan(ctx, c.src)
	if err != nil {
		return err
	}
	dev, err := mountDevice(c, p, t, &undo)
	if err != nil {
		return err
	}
	if err := dev.fits(t, c); err != nil {
		return err
	}
	written, err := copyIn(ctx, t, dev)
	if err != nil {
		return err
	}
	read, err := verify(ctx, t, dev)
	if err != nil {
		return err
	}
	return report(os.Stdout, c, p, t, written, read)
}

// undoList is what has to be undone, in the order in which it was done.
type undoList []func() error

func (u *undoList) add(f func() error) { *u = append(*u, f) }

func (u *undoList) run() {
	for i := len(*u) - 1; i >= 0; i-- {
		if err := (*u)[i](); err != nil {
			fmt.Fprintln(os.Stderr, "undo:", err)
		}
	}
}
