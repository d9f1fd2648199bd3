package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"uzram/test/harness"
)

// TestHelp: each verb explains itself with an example, on stdout and as no failure.
func TestHelp(t *testing.T) {
	top := harness.Run(t, harness.Bin(), "--help")
	for _, verb := range []string{"mount", "umount", "status", "reset", "compact", "check", "idle", "writeback", "recompress", "dict", "version"} {
		if !strings.Contains(top, verb) {
			t.Errorf("--help does not name %s", verb)
		}
		res := harness.Uzram(t, verb, "--help")
		if res.Err != nil || res.Stderr != "" || !strings.Contains(res.Stdout, "uzram "+verb) || !strings.Contains(res.Stdout, "xample") {
			t.Errorf("%s --help: status %d, stderr %q, stdout without usage or example:\n%s", verb, res.Code, res.Stderr, res.Stdout)
		}
	}
	for code := range 6 {
		if !strings.Contains(top, fmt.Sprintf("\n   %d  ", code)) {
			t.Errorf("--help does not explain exit code %d:\n%s", code, top)
		}
	}
}

// TestMany: many devices mounted at once, with a loop device each, do not get in each other's way.
func TestMany(t *testing.T) {
	const many = 8
	dirs, results := make([]string, many), make([]harness.Result, many)
	for i := range dirs {
		dirs[i] = harness.Dir(t)
		harness.Undo(t, "mount", dirs[i])
	}
	all := func(args ...string) {
		t.Helper()
		var wg sync.WaitGroup
		for i, dir := range dirs {
			wg.Go(func() { results[i] = harness.Uzram(t, append(slices.Clone(args), dir)...) })
		}
		wg.Wait()
		for _, res := range results {
			if res.Err != nil {
				t.Errorf("%q: %v: %s", args, res.Err, res.Stderr)
			}
		}
	}
	all("mount", "--detach", "--loop", "--disksize", "8M")
	var loops []string
	for _, res := range results {
		loops = append(loops, strings.TrimSpace(res.Stdout))
		if n := deviceSize(t, loops[len(loops)-1]); n != 8*mib {
			t.Errorf("%s has %d bytes, want 8 MiB", loops[len(loops)-1], n)
		}
	}
	slices.Sort(loops)
	if len(slices.Compact(slices.Clone(loops))) != many {
		t.Errorf("loop devices %q: one is shared", loops)
	}
	all("umount")
}
