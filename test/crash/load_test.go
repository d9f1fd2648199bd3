package crash

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

const (
	scribblers   = 3
	scribbleSize = 4 * mib
	// scribbleTotal is what the scribblers' disk needs.
	scribbleTotal = scribblers * scribbleSize
)

// scribble starts scribblers, each with a part of the image.
func scribble(t *testing.T, image string, seed uint64, wholeHoles bool) (stop func()) {
	t.Helper()
	var procs []*harness.Proc
	for i := range int64(scribblers) {
		procs = append(procs, harness.StartScribbler(t, harness.ScribbleOrders{
			Image: image, Start: i * scribbleSize, Size: scribbleSize, Seed: seed, For: time.Hour, WholeHoles: wholeHoles,
		}))
	}
	return func() {
		t.Helper()
		var sum harness.ScribbleReport
		for _, p := range procs {
			p.Signal(t, syscall.SIGTERM)
			r := harness.ScribblerResult(t, p, patience)
			sum.Writes, sum.Reads, sum.Holes = sum.Writes+r.Writes, sum.Reads+r.Reads, sum.Holes+r.Holes
		}
		if sum.Writes == 0 || sum.Reads == 0 {
			t.Errorf("the scribblers did %+v", sum)
		}
	}
}

// fio writes at random to a file or device and verifies what it reads back, until it is over.
func fio(t *testing.T, target string, size int64, length time.Duration, seed uint64) *harness.Proc {
	t.Helper()
	return harness.Start(t, "fio", "--name=crash", "--filename="+target, fmt.Sprintf("--size=%d", size),
		"--rw=randrw", "--bsrange=4k-128k", "--blockalign=4k", "--direct=1", "--ioengine=libaio", "--iodepth=8",
		"--verify=crc32c", "--verify_backlog=64", "--verify_fatal=1", "--buffer_compress_percentage=50", "--refill_buffers",
		"--time_based", fmt.Sprintf("--runtime=%d", max(1, int(length.Seconds()))), fmt.Sprintf("--randseed=%d", seed>>1),
		"--thread", "--allow_file_create=0", "--output-format=terse", "--aux-path="+harness.Dir(t))
}

// fioEnds waits for fio; any error that it saw fails the test.
func fioEnds(t *testing.T, p *harness.Proc, limit time.Duration) {
	t.Helper()
	text := p.Stdout.Rest(t, limit)
	if code, stderr := p.Wait(t, patience); code != 0 {
		t.Errorf("fio: status %d: %s\n%s", code, stderr, text)
	}
}

// again calls f on a goroutine of its own, over and over, until stopped. An error of f is one of the test.
func again(t *testing.T, f func(i int) error) (stop func()) {
	t.Helper()
	quit, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-quit:
				done <- nil
				return
			default:
			}
			if err := f(i); err != nil {
				done <- err
				return
			}
		}
	}()
	stop = sync.OnceFunc(func() {
		t.Helper()
		close(quit)
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(patience):
			t.Error("a load does not end")
		}
	})
	t.Cleanup(stop)
	return stop
}

// opener opens and closes the image and control files, and reads some.
func opener(t *testing.T, r *rig) (stop func()) {
	t.Helper()
	names := []string{r.Image, r.Path("mm_stat"), r.Path("debug/status")}
	buf := make([]byte, page)
	return again(t, func(i int) error {
		name := names[i%len(names)]
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open %s: %w", name, err)
		}
		if _, err = unix.Read(fd, buf); err != nil {
			err = fmt.Errorf("read %s: %w", name, err)
		}
		return errors.Join(err, unix.Close(fd))
	})
}

// verbs gives commands in turn.
func verbs(t *testing.T, r *rig, list []verb) (stop func()) {
	t.Helper()
	return again(t, func(i int) error { return list[i%len(list)].give(r, i) })
}

// verb is a command, what the attribute must say afterwards, and the errors that are right.
type verb struct {
	attr    string
	command func(i int) string
	reads   func(i int) string // nil: cannot be read, or does not say
	accept  []syscall.Errno
}

func always(text string) func(int) string { return func(int) string { return text } }

func (v *verb) give(r *rig, i int) error {
	command := v.command(i)
	err := r.Write(v.attr, command)
	if errno := harness.Errno(err); errno != 0 {
		if slices.Contains(v.accept, errno) {
			return nil
		}
		return fmt.Errorf("%s <- %q: %w", v.attr, command, err)
	}
	if v.reads == nil {
		return nil
	}
	got, err := harness.ReadFile(r.Path(v.attr))
	if err != nil {
		return fmt.Errorf("read %s: %w", v.attr, err)
	}
	if want := v.reads(i) + "\n"; got != want {
		return fmt.Errorf("%s after %q reads %q, want %q", v.attr, command, got, want)
	}
	return nil
}
