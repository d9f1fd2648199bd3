package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"time"

	"uzram/test/bench/internal/program"
)

type options struct {
	rounds, goroutines int
	classRounds        int
	time, classTime    time.Duration
	only               *regexp.Regexp
	contention, class  bool
	child              string // lock of the class story whose child this process is
}

func main() { program.Main("bench-lock", parse, runOrChild) }

// runOrChild runs, as the program or as the child that it calls itself as.
func runOrChild(ctx context.Context, o options) error {
	if o.child != "" {
		return classChild(o.child, o.classTime, os.Stdout)
	}
	return run(ctx, o)
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("bench-lock", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 5, "interleaved rounds; figures are medians over them")
	f.IntVar(&o.goroutines, "goroutines", 16, "that contend")
	f.DurationVar(&o.time, "time", 100*time.Millisecond, "of each lock in each row and round; four times that on one processor")
	f.IntVar(&o.classRounds, "class-rounds", 3, "interleaved rounds of the class story")
	f.DurationVar(&o.classTime, "class-time", 1200*time.Millisecond, "of each row and round of the class story")
	only := f.String("only", "", "rows of contention whose name matches this regular expression")
	part := f.String("part", "all", "contention, class or all")
	f.StringVar(&o.child, "child", "", "the lock that this process is to try; the program calls itself with it")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, err
	}
	o.contention, o.class = *part != "class", *part != "contention"
	switch {
	case !slices.Contains([]string{"all", "contention", "class"}, *part):
		return o, fmt.Errorf("part %q is none of contention, class, all", *part)
	case o.rounds < 1 || o.classRounds < 1 || o.goroutines < 1:
		return o, fmt.Errorf("rounds %d, class-rounds %d, goroutines %d: each must be at least 1", o.rounds, o.classRounds, o.goroutines)
	case o.time < time.Millisecond || o.classTime < time.Millisecond || o.classTime > maxClassTime:
		return o, fmt.Errorf("time %s, class-time %s: want 1ms or more, and class-time %s at most", o.time, o.classTime, maxClassTime)
	case o.contention && len(o.rows()) == 0:
		return o, fmt.Errorf("no row matches %q", *only)
	case o.child != "" && kindNamed(o.child) == nil:
		return o, fmt.Errorf("no lock is called %q", o.child)
	}
	return o, nil
}

func (o options) rows() (picked []row) {
	for _, r := range rows {
		if o.only.MatchString(r.name()) {
			picked = append(picked, r)
		}
	}
	return picked
}

func run(ctx context.Context, o options) error {
	var lines bytes.Buffer // after all tables
	if o.contention {
		all, err := contend(ctx, o)
		if err != nil {
			return err
		}
		printContention(os.Stdout, &lines, all)
	}
	if o.class {
		all, err := classStory(ctx, o.classRounds, o.classTime)
		if err != nil {
			return err
		}
		printClass(os.Stdout, &lines, all)
	}
	_, err := lines.WriteTo(os.Stdout)
	return err
}
