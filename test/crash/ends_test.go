package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"uzram/internal/failpoint"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// children are the keeper's processes.
func (r *rig) children() (pids []int) {
	r.t.Helper()
	paths, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", r.keeper))
	for _, path := range paths {
		text, _ := os.ReadFile(path)
		for f := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(f)
			if err != nil {
				r.t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// standby is the process that waits, another one than not.
func (r *rig) standby(not int) int {
	r.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		r.ready()
		for _, pid := range r.children() {
			if pid != r.worker && pid != not {
				return pid
			}
		}
	}
	r.t.Fatalf("keeper %d has no child but worker %d within %v", r.keeper, r.worker, patience)
	return 0
}

// TestTwoInARow: the successor dies as soon as it serves, with no standby ready perhaps.
func TestTwoInARow(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M"})
	stop := scribble(t, r.Image, newSeed(t), false)
	for end := time.Now().Add(share(3)); r.deaths < 4 || time.Now().Before(end); {
		r.kill()
		r.takenOver()
		r.kill()
		r.takenOver()
		r.ready()
	}
	stop()
	r.finish()
	results.load("two in a row", r.deaths, "")
}

// TestBothAtOnce: worker and standby die together.
func TestBothAtOnce(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M"})
	stop := scribble(t, r.Image, newSeed(t), false)
	for end := time.Now().Add(share(3)); r.deaths < 3 || time.Now().Before(end); {
		standby := r.standby(0)
		r.kill()
		if err := unix.Kill(standby, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		r.takenOver()
	}
	stop()
	r.finish()
	results.load("worker and standby together", 2*r.deaths, "")
}

// TestStandbyDies: nobody notices, and another one stands soon.
func TestStandbyDies(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M"})
	stop := scribble(t, r.Image, newSeed(t), false)
	n := 0
	old := r.standby(0)
	for end := time.Now().Add(share(2)); n < 3 || time.Now().Before(end); n++ {
		if err := unix.Kill(old, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if !harness.WaitGone(old, patience) {
			t.Fatalf("standby %d does not die", old)
		}
		old = r.standby(old)
	}
	if s := r.state(); s.Worker != r.worker {
		t.Errorf("worker %d serves, want %d, which nobody killed", s.Worker, r.worker)
	}
	r.kill()
	r.takenOver()
	stop()
	r.finish()
	results.load("standby", n, "the worker served on")
}

// TestKeeperDies: whoever uses the mount gets an error soon, and all of it is gone: mount, loop device, processes.
func TestKeeperDies(t *testing.T) {
	r := newRig(t, harness.Options{Disksize: "64M", Loop: true, KernelErrors: true})
	processes := append(r.children(), r.keeper)
	r.standby(0)
	paths := []string{r.Image, r.Loop}
	failed := make(chan error, len(paths))
	for _, path := range paths {
		go func() { failed <- writeUntilError(path) }()
	}
	time.Sleep(20 * time.Millisecond) // for some writes
	if err := unix.Kill(r.keeper, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for range cap(failed) {
		select {
		case err := <-failed:
			t.Logf("a writer got %v", err)
		case <-time.After(hangTime):
			r.Abort()
			t.Fatalf("a writer hangs")
		}
	}
	if !r.WaitUnmounted(patience) {
		t.Error("still mounted")
	}
	for _, pid := range processes {
		if !harness.WaitGone(pid, patience) {
			t.Errorf("process %d still runs", pid)
		}
	}
	backing := filepath.Join("/sys/block", filepath.Base(r.Loop), "loop/backing_file")
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		text, err := os.ReadFile(backing)
		if err != nil {
			break
		}
		if time.Now().After(end) {
			t.Errorf("%s is still attached to %s", r.Loop, text)
			break
		}
	}
	results.load("keeper", 1, "EIO, no hang, nothing stays")
}

// writeUntilError writes a page over and over and returns the error that ends it.
func writeUntilError(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	buf, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	defer unix.Munmap(buf)
	for err == nil {
		_, err = unix.Pwrite(fd, buf, 0)
	}
	return err
}

// TestDeathInTakeOver: a successor dies at each step of its take-over, and the one after it takes over from what it left.
func TestDeathInTakeOver(t *testing.T) {
	r := newRig(t, withBacking("compressed_writeback=1", "writeback_pack=1", "writeback_checksum=1")(t))
	stop := all(scribble(t, r.Image, newSeed(t), false), verbs(t, r, writebackVerbs))
	for round, end := 0, time.Now().Add(share(8)); round == 0 || time.Now().Before(end); round++ {
		for _, s := range failpoint.Steps() {
			if s.Path != "take-over" {
				continue
			}
			r.ready()
			r.killAt(s.Point, 1, sync.OnceFunc(func() { r.kill() }))
			r.worker = r.board.Record(s.Point).PID // which has taken over by half, or just so
			r.takenOver()
			r.deaths++
			results.held(s.Point)
		}
	}
	stop()
	r.finish()
	t.Logf("%d deaths", r.deaths)
}
