package program

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Main runs a program that parses its arguments to options, and ends the process
// if it fails: with 2 for bad arguments, else with 1. A first signal cancels the
// context, so that run can undo what it has done.
func Main[O any](name string, parse func(args []string) (O, error), run func(context.Context, O) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := start(ctx, name, os.Args[1:], os.Stderr, parse, run)
	stop()
	if code != 0 {
		os.Exit(code)
	}
}

// start is Main without the process around it; it returns the exit code.
func start[O any](ctx context.Context, name string, args []string, stderr io.Writer,
	parse func([]string) (O, error), run func(context.Context, O) error,
) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 2
	}
	if err := run(ctx, o); err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}
