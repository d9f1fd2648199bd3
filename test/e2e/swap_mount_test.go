package e2e

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// swapMount mounts with a flag of swap, and sees to it that the swapping ends.
func swapMount(t *testing.T, o harness.Options) *harness.Dev {
	t.Helper()
	o.Disksize, o.Loop = "64M", false // the flag brings the loop device
	dev := harness.Mount(t, o)
	if dev.Loop == "" {
		t.Fatal("no loop device is printed")
	}
	harness.Undo(t, "loop", dev.Loop)
	harness.Undo(t, "swap", dev.Loop)
	if s := harness.Swaps()[dev.Loop]; s.Priority != 100 || int64(s.SizeKiB) != 64*mib/kib-4 {
		t.Fatalf("%s in /proc/swaps: %+v, want 64 MiB without a page, priority 100", dev.Loop, s)
	}
	return dev
}

// guards are those of status --json by name.
func guards(t *testing.T, dev *harness.Dev) map[string]string {
	t.Helper()
	var st struct {
		Guards []struct{ Name, State, Reason string }
	}
	if err := json.Unmarshal([]byte(harness.Run(t, harness.Bin(), "status", "--json", dev.Dir)), &st); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, g := range st.Guards {
		states[g.Name] = g.State
		if g.State == "refused" && g.Reason == "" {
			t.Errorf("%s is refused without a reason", g.Name)
		}
	}
	return states
}

// TestSwapMount: one command gives swap space that is safe, and one takes it away while it is in use; so does a signal.
func TestSwapMount(t *testing.T) {
	harness.Alone(t, "swap")
	dev := swapMount(t, harness.Options{Args: []string{"--swap"}, Patient: true})
	for _, name := range []string{"mlock", "reserve", "keeper", "gc", "log", "capabilities", "no_new_privs", "no_core_dump"} {
		if state := guards(t, dev)[name]; state != "active" {
			t.Errorf("guard %s is %q", name, state)
		}
	}
	peak := watchSwap(t, dev.Loop)
	harness.Hog(t, harness.HogOrders{Bytes: 48 * mib, Rounds: 1, Seed: newSeed(t), Cgroup: harness.Cgroup(t, 24*mib)}, 2*patience)
	if peak() < 8*mib {
		t.Errorf("at most %d KiB were swapped out", peak()/kib)
	}
	dev.Umount()
	if s, ok := harness.Swaps()[dev.Loop]; ok || !detached(dev) {
		t.Errorf("after umount: in /proc/swaps %v (%+v), detached %v", ok, s, detached(dev))
	}

	dev = swapMount(t, harness.Options{Args: []string{"--swap"}})
	if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !dev.WaitUnmounted(patience) || !harness.WaitGone(dev.PID, patience) || !detached(dev) {
		t.Errorf("after SIGTERM: mounted %v, detached %v", dev.Mounted(), detached(dev))
	}
	if s, ok := harness.Swaps()[dev.Loop]; ok {
		t.Errorf("after SIGTERM in /proc/swaps: %+v", s)
	}
}

// TestSwapMount_Busy: while something else uses the mount it stays, and stays swap space.
func TestSwapMount_Busy(t *testing.T) {
	dev := swapMount(t, harness.Options{Args: []string{"--swap"}})
	fd := open(t, dev.Image, unix.O_RDONLY)
	res := harness.Uzram(t, "umount", dev.Dir)
	if _, ok := harness.Swaps()[dev.Loop]; res.Code != 4 || !ok || strings.Contains(res.Stderr, "swap space") {
		t.Errorf("exit %d, %q, swap space still: %v", res.Code, res.Stderr, ok)
	}
	log := len(readLog(t, dev))
	if err := unix.Kill(dev.PID, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitLog(t, dev, log, "process "+itoa(os.Getpid()))
	if _, ok := harness.Swaps()[dev.Loop]; !ok || !dev.Mounted() {
		t.Errorf("after SIGTERM: swap space %v, mounted %v", ok, dev.Mounted())
	}
	shut(t, fd)
	dev.Umount()
}

// TestSwapMount_Refused: without what makes it safe nothing is mounted, and the message says what is missing and how to get
// it; --swap-besteffort goes on.
func TestSwapMount_Refused(t *testing.T) {
	for _, c := range []struct {
		name string
		with []string // in front of the binary
		args []string
		code int
		says []string
	}{
		{"locked memory", []string{"setpriv", "--bounding-set=-ipc_lock", "prlimit", "--memlock=8388608:8388608"}, nil, 5,
			[]string{"locked memory", "LimitMEMLOCK"}},
		{"keeper", nil, []string{"--keeper=false"}, 5, []string{"a keeper", "--keeper"}},
		{"standby", nil, []string{"--standby=false"}, 5, []string{"a standby", "--standby"}},
		{"size", nil, []string{"--disksize", "16K"}, 2, []string{"--disksize"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := harness.Dir(t)
			harness.Undo(t, "mount", dir)
			args := append([]string{harness.Bin(), "mount", "--detach", "--swap", "--disksize", "16M"}, append(c.args, dir)...)
			res := harness.Try(t, append(slices.Clone(c.with), args...)...)
			if res.Code != c.code || strings.Count(res.Stderr, "\n") != 1 {
				t.Errorf("exit %d, %q; want %d and one line", res.Code, res.Stderr, c.code)
			}
			for _, says := range c.says {
				if !strings.Contains(res.Stderr, says) {
					t.Errorf("says %q, want %q", res.Stderr, says)
				}
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
				t.Errorf("something is mounted: %v, %v", entries, err)
			}
		})
	}
	dev := swapMount(t, harness.Options{Args: []string{"--swap-besteffort", "--keeper=false"}})
	dev.Umount()
	if res := harness.Uzram(t, "mount", "--detach", "--swap", harness.Dir(t)); res.Code != 2 || !strings.Contains(res.Stderr, "--disksize") {
		t.Errorf("without a size: exit %d, %q", res.Code, res.Stderr)
	}
}

// TestSwapMount_Foreground: the same where the user watches it.
func TestSwapMount_Foreground(t *testing.T) {
	o := harness.Options{Disksize: "64M", Loop: true, Foreground: true, Args: []string{"--swap"}}
	dev := harness.Mount(t, o)
	harness.Undo(t, "loop", dev.Loop)
	harness.Undo(t, "swap", dev.Loop)
	if _, ok := harness.Swaps()[dev.Loop]; !ok {
		t.Errorf("%s is no swap space", dev.Loop)
	}
	dev.Proc.Signal(t, unix.SIGINT)
	if code, stderr := dev.Proc.Wait(t, patience); code != 0 || dev.Mounted() {
		t.Errorf("status %d, %q, mounted %v", code, stderr, dev.Mounted())
	}
	if _, ok := harness.Swaps()[dev.Loop]; ok {
		t.Errorf("%s is swap space still", dev.Loop)
	}
}
