package store

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// longLived is a process that lives until it is killed.
type longLived struct {
	name  string // in a vault
	pidfd int
	kill  func() // and wait until nobody knows of it any more
}

func startLongLived(t *testing.T) longLived {
	t.Helper()
	cmd := exec.Command("sleep", "1000000")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(cmd.Process.Pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := longLived{name: fmt.Sprintf("%s%d", processPrefix, cmd.Process.Pid), pidfd: fd}
	p.kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(func() {
		p.kill()
		unix.Close(fd)
	})
	return p
}

// besideForebears is a successor of a device with all its pages in memory, beside
// processes that have not ended.
func besideForebears(t *testing.T, processes ...longLived) (d *Device, s *Scratch, v *testVault, disk []byte) {
	t.Helper()
	first, w, fv := newHeldDevice(t, 1)
	first.openFile = func(string) (Backing, error) { return newMemBacking(64), nil }
	if err := first.SetBackingDev("/memory"); err != nil {
		t.Fatal(err)
	}
	setUp(t, first, "lz4", 2*pageKinds)
	disk = fillDisk(t, first, w.Scratch(0), newRand(t))
	c, err := leave(fv, first)
	if err != nil {
		t.Fatal(err)
	}
	c.pidfds = make(map[string]int)
	for _, p := range processes {
		c.pidfds[p.name] = dupFD(t, p.pidfd)
	}
	d, v, err = c.successor(w)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		if err := v.Hold(testPrefix+p.name, p.pidfd); err != nil {
			t.Fatal(err)
		}
	}
	if d.forebearsGone() {
		t.Fatal("nobody is to be waited for")
	}
	t.Cleanup(func() {
		if err := retire(d, v); err != nil {
			t.Error(err)
		}
	})
	return d, w.Scratch(0), v, disk
}

// As long as a process before this one may be writing no block is taken, and all
// else goes on.
func TestWritebackWaitsForProcessesBefore(t *testing.T) {
	one, other := startLongLived(t), startLongLived(t)
	d, s, v, disk := besideForebears(t, one, other)
	b := d.backing.(*memBacking)
	// What a dying process writes when it pleases.
	late := func() {
		if _, err := b.WriteAt(bytes.Repeat([]byte("late"), 8*PageSize/4), 0); err != nil {
			t.Error(err)
		}
	}
	writes := make(chan struct{}, 100)
	b.writing = func(uint64, uint64) { writes <- struct{}{} }
	done := make(chan error, 1)
	go func() {
		_, err := d.Writeback(everyPage(2 * pageKinds))
		done <- err
	}()
	wantDisk(t, d, s, disk)
	mustWrite(t, d, s, disk[:PageSize], 0)
	one.kill()
	soon(t, "it is forgotten", func() bool { return !slices.Contains(v.names(), one.name) })
	late()
	if len(writes) != 1 || d.Stats().BackingUsed != 0 {
		t.Errorf("%d writes, %d blocks are taken", len(writes)-1, d.Stats().BackingUsed)
	}
	other.kill()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(writes) < 2 || d.Stats().BackingUsed == 0 {
		t.Error("nothing was written back")
	}
	wantDisk(t, d, s, disk)
	check(t, d)
	if names := v.names(); slices.Contains(names, other.name) || !slices.Contains(names, processName()) {
		t.Errorf("held are %q, this process is %s", names, processName())
	}
}

// Nobody waits for ever: not a verb, not a reset.
func TestWritebackGivesUpWaiting(t *testing.T) {
	p := startLongLived(t)
	d, _, v, _ := besideForebears(t, p)
	done := make(chan error, 1)
	go func() {
		_, err := d.Writeback(everyPage(2 * pageKinds))
		done <- err
	}()
	l := d.live.Load()
	soon(t, "the writeback has its turn", func() bool { return len(l.post.turn) > 0 })
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrResetting) && !errors.Is(err, ErrNotSetUp) {
		t.Errorf("a writeback beside a reset: %v", err)
	}
	if !slices.Contains(v.names(), p.name) {
		t.Error("a reset forgot who may be writing")
	}
	d.openFile = func(string) (Backing, error) { return newMemBacking(64), nil }
	if err := errors.Join(d.SetBackingDev("/memory"), d.SetDisksize(4*PageSize)); err != nil {
		t.Fatal(err)
	}
	d.forebears.patience = 0
	_, err := d.Writeback(everyPage(4))
	wantErrno(t, "without patience", err, syscall.EAGAIN)
	p.kill()
	mustWriteback(t, d, everyPage(4))
}

// A snapshot that is restored meanwhile keeps all pages in memory.
func TestRestoreBesideProcessesBefore(t *testing.T) {
	p := startLongLived(t)
	first, w, fv := newHeldDevice(t, 1)
	c, err := leave(fv, first)
	if err != nil {
		t.Fatal(err)
	}
	self, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	c.pidfds = map[string]int{p.name: dupFD(t, p.pidfd), processName(): self} // for itself nobody waits
	d, v, err := c.successor(w)
	if err != nil {
		t.Fatal(err)
	}
	from, fw, _ := newBackedDevice(t, 1, 2*pageKinds, 64, false)
	disk := fillDisk(t, from, fw.Scratch(0), newRand(t))
	mustWriteback(t, from, everyPage(2*pageKinds))
	file := mustSnapshot(t, from)
	d.extra = wrappedCodecs()
	d.openFile = func(string) (Backing, error) { return newMemBacking(64), nil }
	d.forebears.patience = 0
	if n := len(d.forebears.pidfds); n != 1 {
		t.Errorf("%d processes may be writing, want the one before", n)
	}
	if err := d.Restore(bytes.NewReader(file), func() {}); err != nil {
		t.Fatal(err)
	}
	if used := d.Stats().BackingUsed; used != 0 {
		t.Errorf("%d blocks are in use", used)
	}
	wantDisk(t, d, w.Scratch(0), disk)
	if err := retire(d, v); err != nil {
		t.Error(err)
	}
}

// A vault that does not take note of this process keeps it from writing back.
func TestWritebackIsAnnounced(t *testing.T) {
	d, _, v := newHeldDevice(t, 1)
	d.openFile = func(string) (Backing, error) { return newMemBacking(64), nil }
	if err := errors.Join(d.SetBackingDev("/memory"), d.SetDisksize(4*PageSize)); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	v.fail = func(string) error { return broken }
	if _, err := d.Writeback(everyPage(4)); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	v.fail = nil
	mustWriteback(t, d, everyPage(4))
	if !slices.Contains(v.names(), fmt.Sprintf("process.%d", os.Getpid())) {
		t.Errorf("held are %q", v.names())
	}
}

// soon waits until something is so, on a machine that may be busy.
func soon(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
