package main

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"uzram/test/bench/internal/report"
)

// The class story runs the program again; here that is the test's own binary.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "-child" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Each lock excludes: a contest counts writes with and without it, and the race
// detector watches the pages.
func TestEachLockExcludes(t *testing.T) {
	for _, r := range []row{{0, 64, 1, 8}, {50, pageBytes, 1, 2}, {90, pageBytes, 64, 1}} {
		for _, k := range kinds {
			c := &contest{row: r, kind: k}
			if err := c.round(4, 20*time.Millisecond); err != nil {
				t.Errorf("%s, %s: %v", r.name(), k.name, err)
			}
			for name, s := range map[string]report.Series{"operations": c.operations, "longest": c.longest, "p99": c.p99} {
				if len(s) != 1 || s[0] <= 0 {
					t.Errorf("%s, %s: %s %v, want one figure", r.name(), k.name, name, s)
				}
			}
			if c.p99[0] > c.longest[0] || c.unfairness[0] < 1 {
				t.Errorf("%s, %s: p99 %v, longest %v, unfairness %v", r.name(), k.name, c.p99, c.longest, c.unfairness)
			}
		}
	}
}

// A lock that does not exclude must be found out.
func TestCheckFindsALostWrite(t *testing.T) {
	a := newArena(row{slots: 2}, nil)
	a.pages[0].wrote, a.pages[1].wrote = 3, 4
	g, h := &contender{wrote: []uint64{1, 4}}, &contender{wrote: []uint64{2, 0}}
	if err := a.check([]*contender{g, h}); err != nil {
		t.Error(err)
	}
	h.wrote[1] = 1
	if err := a.check([]*contender{g, h}); err == nil {
		t.Error("page 1 counts 4 writes of 5, and nobody said so")
	}
}

// enough runs children for longer and longer until one's result is so: on a busy
// machine the threads may get no CPU for a while.
func (r *classRun) enough(t *testing.T, d time.Duration, so func(classResult) bool) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for {
		got, err := r.run(context.Background(), exe, d)
		if err != nil {
			t.Fatalf("%s: %v", r.name(), err)
		}
		if so(got) {
			return
		}
		if d *= 2; d > 4*time.Second {
			t.Errorf("%s: %+v", r.name(), got)
			return
		}
	}
}

// Both threads get on with a lock that puts its contenders to sleep. With one
// that spins the FIFO thread would have the lock once or twice in any time, if Go
// does not cut in.
func TestBothClassesProgress(t *testing.T) {
	for _, uncut := range []bool{true, false} {
		r := &classRun{kind: "park", uncut: uncut}
		r.enough(t, 400*time.Millisecond, func(got classResult) bool {
			return got.FIFO.Count >= 10 && got.Normal.Count >= 10 && got.FIFO.Longest > 0
		})
	}
}

// The child ends although its FIFO thread spins, and says so.
func TestASpinningChildEnds(t *testing.T) {
	r := &classRun{kind: "spin", uncut: true}
	r.enough(t, 100*time.Millisecond, func(got classResult) bool { return got.Normal.Count > 0 })
}

func TestChildFailureHasAReason(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := &classRun{kind: "none"}
	if _, err := r.run(context.Background(), exe, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), `no lock is called "none"`) {
		t.Errorf("error %v", err)
	}
}

func TestWaits(t *testing.T) {
	for v := uint64(1); v < 1<<62; v += v/5 + 1 {
		i := bucket(v)
		if i >= buckets || uint64(ceiling(i)) < v || float64(ceiling(i)) > float64(v)*(1+1.0/steps) {
			t.Fatalf("%d is in bucket %d, which ends at %d", v, i, ceiling(i))
		}
		if i > 0 && uint64(ceiling(i-1)) >= v {
			t.Fatalf("%d is in bucket %d, and would be in the one below", v, i)
		}
	}
	var a, b waits
	for i := range 98 {
		a.note(time.Duration(i % 10))
	}
	b.note(1000)
	b.note(5000)
	a.add(&b)
	if p := a.percentile(99); a.longest != 5000 || p < 1000 || p > 1000+1000/steps {
		t.Errorf("longest %d, 99 %% below %d; want 5000 and about 1000", a.longest, p)
	}
	if p := a.percentile(100); p != 5000 {
		t.Errorf("100 %% below %d, want 5000", p)
	}
	if p := new(waits).percentile(99); p != 0 {
		t.Errorf("99 %% of no waits below %d", p)
	}
}

// Other tools read these lines.
func TestLines(t *testing.T) {
	r := row{90, pageBytes, 64, 8}
	var out, lines strings.Builder
	printContention(&out, &lines, []*contest{
		{row: r, kind: kinds[0], operations: report.Series{2000}, longest: report.Series{10}, p99: report.Series{4}, unfairness: report.Series{1}},
		{row: r, kind: kinds[1], operations: report.Series{4000}, longest: report.Series{20}, p99: report.Series{1}, unfairness: report.Series{3}},
		{row: r, kind: kinds[2], operations: report.Series{1000}, longest: report.Series{90}, p99: report.Series{1}, unfairness: report.Series{3}},
	})
	printClass(&out, &lines, []*classRun{
		{kind: "park", uncut: true, fifoLongest: report.Series{2}},
		{kind: "sync.RWMutex", uncut: true, fifoLongest: report.Series{3}},
		{kind: "spin", uncut: true, fifoLongest: report.Series{900}},
		{kind: "park", fifoLongest: report.Series{2}},
		{kind: "sync.RWMutex", dead: errors.New("operation not permitted")},
		{kind: "spin", fifoLongest: report.Series{50}},
	})
	want := `ratio lock_throughput_r90_4k_s64_p8 0.500
ratio lock_longest_wait_r90_4k_s64_p8 2.000
ratio lock_p99_wait_r90_4k_s64_p8 0.250
ratio lock_fairness_r90_4k_s64_p8 3.000
ratio lock_spin_longest_wait_r90_4k_s64_p8 9.000
ratio lock_fifo_rwmutex_over_park_longest_wait 1.500
ratio lock_fifo_spin_over_park_longest_wait 450.000
missing lock_fifo_rwmutex_over_park_longest_wait_preempted_by_go operation not permitted
ratio lock_fifo_spin_over_park_longest_wait_preempted_by_go 25.000
`
	if lines.String() != want {
		t.Errorf("lines:\n%s\nwant:\n%s", lines.String(), want)
	}
	if !strings.Contains(out.String(), "| r90_4k_s64_p8 | 2.00 (2.00-2.00) |") {
		t.Errorf("tables:\n%s", out.String())
	}
}

func TestRowsHaveNamesOfTheirOwn(t *testing.T) {
	form, seen := regexp.MustCompile(`^[a-z0-9_]+$`), map[string]bool{}
	for _, r := range rows {
		if n := r.name(); seen[n] || !form.MatchString(n) {
			t.Errorf("row %+v is called %q", r, n)
		}
		seen[r.name()] = true
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "2", "-only", "^write_.*_p8$", "-part", "contention", "-time", "5ms"})
	if err != nil || o.rounds != 2 || len(o.rows()) != 4 || !o.contention || o.class {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, bad := range [][]string{
		{"-rounds", "0"}, {"-class-rounds", "0"}, {"-goroutines", "0"}, {"-only", "("}, {"-only", "none"},
		{"-part", "most"}, {"-time", "1us"}, {"-class-time", "1h"}, {"-child", "none"},
	} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, o)
		}
	}
}
