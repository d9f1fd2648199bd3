package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"uzram/test/harness"
)

// TestSwap: swap on the device. A process that needs three times the memory it may have works through it, every page
// verified. Sizes for continuous integration; the environment makes it as large and long as wanted.
func TestSwap(t *testing.T) {
	hog, limit := number(t, "UZRAM_SWAP_HOG", 384)*mib, number(t, "UZRAM_SWAP_LIMIT", 128)*mib
	rounds := int(number(t, "UZRAM_SWAP_ROUNDS", 2))
	harness.Alone(t, "swap")
	dev := harness.Mount(t, harness.Options{Disksize: "4G", Loop: true, Patient: true})
	on, off := script(t, "swap-on.sh"), script(t, "swap-off.sh")

	harness.Undo(t, "swap", dev.Loop)
	harness.Run(t, on, dev.Dir, "32767")
	if out := harness.Run(t, on, dev.Dir, "32767"); !strings.Contains(out, "already") {
		t.Errorf("swap-on.sh a second time says %q", out)
	}
	if s := harness.Swaps()[dev.Loop]; s.Priority != 32767 || int64(s.SizeKiB) != 4*gib/kib-4 {
		t.Fatalf("%s in /proc/swaps: %+v", dev.Loop, s)
	}

	peak := watchSwap(t, dev.Loop)
	harness.Hog(t, harness.HogOrders{Bytes: hog, Rounds: rounds, Seed: newSeed(t), Cgroup: harness.Cgroup(t, limit)},
		time.Duration(rounds)*time.Duration(hog/mib)*200*time.Millisecond+time.Minute)
	used := peak()
	if used < (hog-limit)*9/10 {
		t.Errorf("at most %d MiB were swapped to %s, want about %d", used/mib, dev.Loop, (hog-limit)/mib)
	}
	io := dev.Numbers("io_stat")
	if io[0] != 0 || io[1] != 0 {
		t.Errorf("io_stat: %d failed reads, %d failed writes", io[0], io[1])
	}
	waitDiscarded(t, dev, used/10)
	t.Logf("mm_stat after the hog's swap clusters were discarded: %+v", dev.MM())

	harness.Run(t, off, dev.Dir)
	if out := harness.Run(t, off, dev.Dir); !strings.Contains(out, "not swapping") {
		t.Errorf("swap-off.sh a second time says %q", out)
	}
	if s, ok := harness.Swaps()[dev.Loop]; ok {
		t.Errorf("after swap-off.sh %s is in /proc/swaps: %+v", dev.Loop, s)
	}
	dev.Umount()
}

// TestSwap_OwnLoop: swap-on.sh attaches a loop device where the mount has none, and it goes away with the swap.
func TestSwap_OwnLoop(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M"})
	out := harness.Run(t, script(t, "swap-on.sh"), dev.Dir)
	var loop string
	for name := range harness.Swaps() {
		if strings.Contains(out, name+",") {
			loop = name
		}
	}
	if loop == "" {
		t.Fatalf("swap-on.sh says %q, /proc/swaps has %v", out, harness.Swaps())
	}
	harness.Undo(t, "loop", loop)
	harness.Undo(t, "swap", loop)
	res := harness.Uzram(t, "umount", dev.Dir)
	if res.Code != 4 || !strings.Contains(res.Stderr, loop) || !strings.Contains(res.Stderr, "swap") {
		t.Errorf("umount while swapping: status %d, %q; want 4 and the name of the holder", res.Code, res.Stderr)
	}
	harness.Run(t, script(t, "swap-off.sh"), dev.Dir)
	dev.Umount()
	if text, err := os.ReadFile("/sys/block/" + filepath.Base(loop) + "/loop/backing_file"); err == nil && strings.HasPrefix(string(text), dev.Dir) {
		t.Errorf("%s is still attached", loop)
	}
}

// TestSwapScripts_Usage: what the scripts say to bad arguments.
func TestSwapScripts_Usage(t *testing.T) {
	dev := harness.Mount(t, harness.Options{})
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"swap-on.sh", nil, 2, "usage"},
		{"swap-off.sh", nil, 2, "usage"},
		{"swap-on.sh", []string{dev.Dir, "x"}, 2, "priority"},
		{"swap-on.sh", []string{dev.Dir, "32768"}, 2, "priority"},
		{"swap-on.sh", []string{dev.Dir}, 1, "disksize"},
		{"swap-on.sh", []string{"/"}, 1, "not a mounted uzram device"},
		{"swap-off.sh", []string{"/"}, 1, "not a mounted uzram device"},
	} {
		res := harness.Try(t, append([]string{script(t, tt.name)}, tt.args...)...)
		if res.Code != tt.code || !strings.Contains(res.Stderr, tt.says) {
			t.Errorf("%s %q: status %d, %q; want %d and %q", tt.name, tt.args, res.Code, res.Stderr, tt.code, tt.says)
		}
	}
}

// waitDiscarded waits until the kernel has discarded the swap space that nobody uses any more, so that no more than most
// bytes are stored. It does so in the background and tells nobody, hence the looking again and again.
func waitDiscarded(t *testing.T, dev *harness.Dev, most int64) {
	t.Helper()
	for end := time.Now().Add(patience); dev.MM().Orig > most; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%v after the hog's end %d KiB are still stored, want at most %d", patience, dev.MM().Orig/kib, most/kib)
			return
		}
	}
}

// watchSwap watches the use of a swap device, ten times a second, until the test ends or peak is called, which returns the
// highest in bytes.
func watchSwap(t *testing.T, dev string) (peak func() int64) {
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		var n int64
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				most <- n
				return
			case <-tick.C:
				n = max(n, int64(harness.Swaps()[dev].UsedKiB)*kib)
			}
		}
	}()
	peak = sync.OnceValue(func() int64 {
		close(stop)
		return <-most
	})
	t.Cleanup(func() { peak() })
	return peak
}

func script(t *testing.T, name string) string {
	t.Helper()
	return filepath.Join(harness.Repo(), "scripts", name)
}

// number returns a variable of the environment, or its default.
func number(t *testing.T, name string, def int64) int64 {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return def
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n <= 0 {
		t.Fatalf("%s=%q is not a positive number", name, text)
	}
	return n
}
