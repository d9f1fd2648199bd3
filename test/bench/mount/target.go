package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/fio"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/undo"
)

// setupTimeout bounds what is not fio's: starting a server, filling a disk,
// taking it all down.
const setupTimeout = 60 * time.Second

// machine is what every target is built from.
type machine struct {
	binary    string // uzram's
	algorithm string // of uzram and of the kernel device
	scratch   string // directory for mount points
	size      int64  // bytes of each disk
	data      []byte // the corpus
}

// target is one disk under test.
type target struct {
	name  string
	faces []string // whose ratios it has a part in
	ours  bool
	fuse  bool // served by a process, through a FUSE mount on dir
	// start brings it up and returns the file or device to use; what must be
	// undone goes on the stack.
	start func(ctx context.Context, m *machine, dir string, u *undo.Stack) (string, error)

	dir     string
	path    string
	undo    undo.Stack
	dead    error                    // why there are no more figures
	results map[string][]*fio.Result // by workload
}

// The two ways to a disk.
const (
	faceImage = "image"
	faceLoop  = "loop"
)

var (
	image = []string{faceImage}
	loop  = []string{faceLoop}
	both  = []string{faceImage, faceLoop}
)

// targets is the table of all; the ratios are in comparisons.
func targets() []*target {
	return []*target{
		{name: "uzram image", faces: image, ours: true, fuse: true, start: startUzram("", false)},
		{name: "uzram loop", faces: loop, ours: true, fuse: true, start: startUzram("", true)},
		{name: "uzram zstd image", faces: image, ours: true, fuse: true, start: startUzram("zstd", false)},
		{name: "uzram zstd loop", faces: loop, ours: true, fuse: true, start: startUzram("zstd", true)},
		{name: "uzram alone image", faces: image, ours: true, fuse: true, start: startUzram("", false, "--keeper=false")},
		{name: "uzram alone loop", faces: loop, ours: true, fuse: true, start: startUzram("", true, "--keeper=false")},
		{name: "kernel zram", faces: both, start: startZram},
		{name: "tmpfs", faces: image, start: startTmpfs(false)},
		{name: "tmpfs loop", faces: loop, start: startTmpfs(true)},
		{name: "nbdkit zstd", faces: image, fuse: true, start: startNbdkit(false)},
		{name: "nbdkit zstd loop", faces: loop, fuse: true, start: startNbdkit(true)},
	}
}

// comparisons say whose figures make the ratio mount_FACE_PEER_WORKLOAD. nbdkit
// compresses with zstd, so uzram does too there. alone is uzram without keeper
// and standby.
var comparisons = []struct{ face, peer, ours, theirs string }{
	{faceImage, "zram", "uzram image", "kernel zram"},
	{faceImage, "tmpfs", "uzram image", "tmpfs"},
	{faceImage, "nbdkit", "uzram zstd image", "nbdkit zstd"},
	{faceImage, "alone", "uzram image", "uzram alone image"},
	{faceLoop, "alone", "uzram loop", "uzram alone loop"},
	{faceLoop, "zram", "uzram loop", "kernel zram"},
	{faceLoop, "tmpfs", "uzram loop", "tmpfs loop"},
	{faceLoop, "nbdkit", "uzram zstd loop", "nbdkit zstd loop"},
}

// compared reports whether a comparison with that peer, "" for any, needs the
// target.
func (t *target) compared(peer string) bool {
	for _, c := range comparisons {
		if (peer == "" || c.peer == peer) && (c.ours == t.name || c.theirs == t.name) {
			return true
		}
	}
	return false
}

// up starts the target, mounts on dir, and fills its disk with the corpus.
func (t *target) up(ctx context.Context, m *machine, dir string) error {
	t.dir, t.results = dir, map[string][]*fio.Result{}
	err := bounded(ctx, setupTimeout, func(ctx context.Context) (err error) {
		if t.path, err = t.start(ctx, m, dir, &t.undo); err != nil {
			return err
		}
		f, err := directio.Open(t.path)
		if err != nil {
			return err
		}
		return errors.Join(directio.Fill(f, m.data, m.size), f.Close())
	})
	if err != nil {
		return t.fail(fmt.Errorf("set up: %w", err))
	}
	return nil
}

// measure runs one workload once.
func (t *target) measure(ctx context.Context, m *machine, w workload, runtime time.Duration) error {
	r, err := fio.Run(ctx, w.job(t.path, m.size, runtime))
	if err != nil {
		return t.fail(err)
	}
	t.results[w.name] = append(t.results[w.name], &r)
	return nil
}

// verify reads the half that was never written to and compares it.
func (t *target) verify(ctx context.Context, m *machine) error {
	buf, err := directio.Alloc(directio.Chunk)
	if err != nil {
		return err
	}
	err = bounded(ctx, setupTimeout, func(context.Context) error {
		f, err := directio.Open(t.path)
		if err != nil {
			return err
		}
		return errors.Join(directio.Check(f, buf, m.data, m.size/2), f.Close())
	})
	if err != nil {
		return t.fail(fmt.Errorf("verify: %w", err))
	}
	return nil
}

// fail takes the target out of the run, and down. It returns an error for one of
// ours only.
func (t *target) fail(err error) error {
	t.abort()
	t.dead = errors.Join(err, t.down())
	if t.ours {
		return fmt.Errorf("%s: %w", t.name, t.dead)
	}
	return nil
}

// down takes back what the target set up, in bounded time even if it hangs.
func (t *target) down() error {
	done := make(chan error, 1)
	go func() { done <- t.undo.Unwind() }()
	for range 2 {
		select {
		case err := <-done:
			return err
		case <-time.After(setupTimeout):
			t.abort()
		}
	}
	return errors.New("hangs even so, and is left as it is")
}

// abort ends a FUSE connection, so that nobody goes on waiting for an answer
// from a server that has stopped to give any: detaching a loop device, for one,
// asks the file behind it.
func (t *target) abort() {
	if t.fuse {
		_ = unix.Unmount(t.dir, unix.MNT_FORCE)
	}
}

// series are the target's figures of one workload.
func (t *target) series(w workload) (s report.Series) {
	for _, r := range t.results[w.name] {
		s = append(s, w.speed(*r))
	}
	return s
}

// bounded runs do for at most limit. A do that hangs in the kernel is left to
// itself: it ends when what it hangs on is taken down.
func bounded(ctx context.Context, limit time.Duration, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("not done in time: %w", ctx.Err())
	}
}
