package crash

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/test/harness"
)

// killing kills the worker at random moments, about this far apart, for a time; until is asked after each death and ends it
// early.
func (r *rig) killing(seed uint64, apart, length time.Duration, until func() bool) {
	r.t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	for end := time.Now().Add(length); time.Now().Before(end) && !until(); {
		time.Sleep(time.Duration(random.Int64N(int64(2 * apart))))
		r.kill()
		r.takenOver()
	}
}

func never() bool { return false }

// TestImage: fio verifies what it writes to the image while workers die.
func TestImage(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "128M"})
	seed := newSeed(t)
	p := fio(t, r.Image, 64*mib, share(8), seed)
	r.killing(seed, 40*time.Millisecond, hangTime+share(20), func() bool { return !p.Running() })
	fioEnds(t, p, patience)
	r.finish()
	results.load("fio verify on the image", r.deaths, "")
}

// TestLoop: the same through a loop device.
func TestLoop(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "128M", Loop: true})
	seed := newSeed(t)
	p := fio(t, r.Loop, 64*mib, share(8), seed)
	r.killing(seed, 40*time.Millisecond, hangTime+share(20), func() bool { return !p.Running() })
	fioEnds(t, p, patience)
	r.finish()
	results.load("fio verify through a loop device", r.deaths, "")
}

// TestExt4: a file system on the loop device. Trees are copied to it and removed while workers die; what it holds at the end
// is what was copied, and fsck finds nothing.
func TestExt4(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "256M", Loop: true})
	harness.Run(t, "mkfs.ext4", "-q", r.Loop)
	dir := harness.MountFS(t, r.Loop)
	src := filepath.Join(strings.TrimSpace(harness.Run(t, "go", "env", "GOROOT")), "src")
	seed := newSeed(t)
	copied := 0
	stop := again(t, func(i int) error {
		to := filepath.Join(dir, fmt.Sprint(i%3))
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := os.CopyFS(to, os.DirFS(filepath.Join(src, sourceTrees[i%len(sourceTrees)]))); err != nil {
			return err
		}
		copied++
		return nil
	})
	r.killing(seed, 60*time.Millisecond, share(8), never)
	stop()
	r.DropCaches()
	for i := max(0, copied-3); i < copied; i++ {
		harness.Run(t, "diff", "-r", "--no-dereference", filepath.Join(src, sourceTrees[i%len(sourceTrees)]), filepath.Join(dir, fmt.Sprint(i%3)))
	}
	harness.Run(t, "umount", dir)
	harness.Run(t, "fsck.ext4", "-fn", r.Loop)
	r.finish()
	results.load("ext4 on a loop device", r.deaths, fmt.Sprintf("%d trees copied, fsck clean", copied))
	if copied < 3 {
		t.Errorf("%d trees were copied", copied)
	}
}

// sourceTrees are parts of the Go installation.
var sourceTrees = []string{"net", "crypto", "encoding", "go", "runtime/pprof"}

// TestSwap: swap space on the device, a process that needs three times the memory it may have, and a death every second.
func TestSwap(t *testing.T) {
	harness.Alone(t, "swap")
	disksize, hog, limit := "1G", int64(192*mib), int64(64*mib)
	if *large {
		disksize, hog, limit = "4G", 1536*mib, 512*mib
	}
	r := newRig(t, harness.Options{Disksize: disksize, Loop: true})
	seed := newSeed(t)
	harness.Run(t, "mkswap", r.Loop)
	harness.Undo(t, "swap", r.Loop)
	harness.Run(t, "swapon", "--discard", "-p", "32767", r.Loop)
	rounds := max(1, int(share(12)/(6*time.Second)))
	done := make(chan struct{})
	killed := make(chan struct{})
	go func() { // Hog waits for the hog, and is the one that may end the test
		defer close(killed)
		r.swapKills(seed, done)
	}()
	harness.Hog(t, harness.HogOrders{Bytes: hog, Rounds: rounds, Seed: seed, Cgroup: harness.Cgroup(t, limit)},
		time.Duration(rounds)*time.Duration(hog/(192*mib))*time.Minute)
	close(done)
	<-killed
	harness.Run(t, "swapoff", r.Loop)
	r.finish()
	results.load("swap hog, a death every second", r.deaths, fmt.Sprintf("%d MiB in %d MiB, %d rounds, verified", hog/mib, limit/mib, rounds))
}

// swapKills kills the worker every second until done.
func (r *rig) swapKills(seed uint64, done <-chan struct{}) {
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-done:
			tick.Stop()
			return
		case <-tick.C:
			r.kill()
			r.takenOver()
		}
	}
}
