package main

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"uzram/test/bench/internal/fio"
	"uzram/test/bench/internal/undo"
)

func TestComparisonsNameTargets(t *testing.T) {
	byName := map[string]*target{}
	for _, x := range targets() {
		if byName[x.name] != nil {
			t.Errorf("two targets are called %q", x.name)
		}
		byName[x.name] = x
	}
	for _, c := range comparisons {
		ours, theirs := byName[c.ours], byName[c.theirs]
		if ours == nil || theirs == nil {
			t.Errorf("%s against %s: there is no such target", c.ours, c.theirs)
			continue
		}
		if !ours.ours || theirs.ours != (c.peer == "alone") {
			t.Errorf("%s against %s: want ours against theirs", c.ours, c.theirs)
		}
		if !slices.Contains(ours.faces, c.face) || !slices.Contains(theirs.faces, c.face) {
			t.Errorf("%s against %s: -face %s would leave one of them out", c.ours, c.theirs, c.face)
		}
	}
}

// Reads must find the corpus whatever was written before.
func TestReadsAndWritesKeepApart(t *testing.T) {
	const size = 8 << 20
	for _, w := range workloads {
		j := w.job("disk", size, time.Second)
		if j.Offset+j.Size > size || j.Size != size/2 {
			t.Errorf("%s: [%d, +%d) of %d bytes", w.name, j.Offset, j.Size, size)
		}
		if (j.Offset == 0) == w.writes() {
			t.Errorf("%s (writes: %t) begins at %d", w.name, w.writes(), j.Offset)
		}
	}
}

func TestSpeedUnits(t *testing.T) {
	r := fio.Result{IOPS: 1500, BytesPerSecond: 2e6}
	for name, want := range map[string]float64{"rr4k_s1": 1.5, "sw1m_d16": 2} {
		i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
		if i < 0 || workloads[i].speed(r) != want {
			t.Errorf("%s: want a workload of speed %v %s", name, want, workloads[max(i, 0)].unit())
		}
	}
}

// A peer that hangs ends in time and is no failure; one of ours is.
func TestAHangingTargetIsBounded(t *testing.T) {
	for _, ours := range []bool{false, true} {
		undone := false
		x := &target{name: "stuck", ours: ours, start: func(ctx context.Context, _ *machine, _ string, u *undo.Stack) (string, error) {
			u.Push("server", func() error {
				undone = true
				return nil
			})
			select {} // hangs, whatever becomes of ctx
		}}
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		err := x.up(ctx, &machine{}, "")
		cancel()
		if (err != nil) != ours || !errors.Is(x.dead, context.DeadlineExceeded) || !undone {
			t.Errorf("ours %t: error %v, dead %v, undone %t", ours, err, x.dead, undone)
		}
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "3", "-runtime", "300ms", "-only", "^rr4k", "-face", "loop", "-mib", "64"})
	if err != nil || o.rounds != 3 || o.size != 64<<20 || len(o.workloads()) != 2 {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, x := range o.targets() {
		if !slices.Contains(x.faces, faceLoop) {
			t.Errorf("-face loop picked %q", x.name)
		}
	}
	for _, bad := range [][]string{{"-rounds", "0"}, {"-only", "("}, {"-only", "none"}, {"-face", "both"}, {"-mib", "3"}, {"-mib", "5"}, {"-runtime", "1ms"}} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, o)
		}
	}
}
