package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"uzram/test/bench/internal/report"
)

// maxClassTime bounds for how long a SCHED_FIFO thread may keep a CPU busy.
const maxClassTime = 10 * time.Second

// classResult is what a child says of the two threads: FIFO is the one in the
// SCHED_FIFO class, Normal the one in SCHED_OTHER.
type classResult struct{ FIFO, Normal turns }

// turns is how often a thread had the lock, and its longest wait from call to
// acquisition.
type turns struct {
	Count   uint64
	Longest time.Duration
}

// classRun is one lock in the class story: figures for each round.
type classRun struct {
	kind  string
	uncut bool // Go's runtime never takes the CPU from a goroutine that computes

	fifo, normal               report.Series // turns
	fifoLongest, normalLongest report.Series // milliseconds
	dead                       error         // why there are no more figures
}

func (r *classRun) name() string {
	if r.uncut {
		return r.kind
	}
	return r.kind + ", preempted by Go"
}

// classStory tries each lock in a child of its own, in two ways: with nobody but
// the kernel to take the CPU from a thread, and with Go's preemption, by which a
// goroutine that spins gives way every 10 ms.
func classStory(ctx context.Context, rounds int, d time.Duration) ([]*classRun, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []*classRun
	for _, uncut := range []bool{true, false} {
		for _, k := range kinds {
			all = append(all, &classRun{kind: k.name, uncut: uncut})
		}
	}
	for round := range rounds {
		fmt.Fprintf(os.Stderr, "class: round %d of %d\n", round+1, rounds)
		order := slices.Clone(all)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, r := range order {
			if r.dead == nil {
				r.dead = r.round(ctx, exe, d)
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

func (r *classRun) round(ctx context.Context, exe string, d time.Duration) error {
	result, err := r.run(ctx, exe, d)
	if err != nil {
		return err
	}
	ms := func(d time.Duration) float64 { return micros(d) / 1000 }
	r.fifo = append(r.fifo, float64(result.FIFO.Count))
	r.normal = append(r.normal, float64(result.Normal.Count))
	r.fifoLongest = append(r.fifoLongest, ms(result.FIFO.Longest))
	r.normalLongest = append(r.normalLongest, ms(result.Normal.Longest))
	return nil
}

// run starts the child and reads its result. A child that is not done ten
// seconds after its time is killed, and it dies with this process.
func (r *classRun) run(ctx context.Context, exe string, d time.Duration) (result classResult, err error) {
	// The signal at a parent's death is bound to the thread that forked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(ctx, d+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-child", r.kind, "-class-time", d.String())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if r.uncut {
		cmd.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return result, fmt.Errorf("child: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	return result, json.Unmarshal(out, &result)
}
