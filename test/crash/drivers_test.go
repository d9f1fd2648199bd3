package crash

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"uzram/internal/failpoint"
	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// driver is a mount with a load that comes by some of the points.
type driver struct {
	name    string
	options func(*testing.T) harness.Options
	prepare func(*testing.T, *rig) // before the load; nil = nothing
	start   func(*testing.T, *rig, uint64) (stop func())
	paths   []string // of the points
	but     []failpoint.Point
}

// points are those that the driver comes by.
func (d *driver) points() (list []failpoint.Step) {
	for _, s := range failpoint.Steps() {
		if slices.Contains(d.paths, s.Path) && !slices.Contains(d.but, s.Point) {
			list = append(list, s)
		}
	}
	return list
}

var drivers = []driver{
	{
		name:    "image",
		options: plain,
		start: func(t *testing.T, r *rig, seed uint64) func() {
			return all(scribble(t, r.Image, seed, false), opener(t, r), bulk(t, r, seed))
		},
		paths: []string{"request", "write", "partial write", "free", "read", "pool", "same-filled", "open"},
	},
	{
		name:    "compact",
		options: plain,
		start: func(t *testing.T, r *rig, seed uint64) func() {
			return all(scribble(t, r.Image, seed, false), verbs(t, r, []verb{{attr: "compact", command: always("1")}}))
		},
		paths: []string{"compact"},
	},
	{
		name: "recompress",
		options: func(*testing.T) harness.Options {
			return harness.Options{Disksize: "64M", Args: []string{"--recomp-algorithm", "1:zstd"}}
		},
		start: func(t *testing.T, r *rig, seed uint64) func() {
			return all(scribble(t, r.Image, seed, false), verbs(t, r, []verb{{attr: "recompress", command: always("priority=1")}}))
		},
		paths: []string{"recompress", "recompress, writeback"},
	},
	{
		name:    "writeback",
		options: withBacking(),
		start: func(t *testing.T, r *rig, seed uint64) func() {
			return all(scribble(t, r.Image, seed, false), verbs(t, r, writebackVerbs))
		},
		paths: []string{"writeback", "recompress, writeback"},
		but:   []failpoint.Point{failpoint.PostFlagged},
	},
	{
		name:    "writeback, packed and encrypted",
		options: withBacking("compressed_writeback=1", "writeback_pack=1", "writeback_encryption=1"),
		start: func(t *testing.T, r *rig, seed uint64) func() {
			return all(scribble(t, r.Image, seed, false), verbs(t, r, writebackVerbs))
		},
		paths: []string{"writeback", "recompress, writeback"},
		but:   []failpoint.Point{failpoint.PostFlagged},
	},
	{
		name:    "settings",
		options: withBacking(),
		start: func(t *testing.T, r *rig, seed uint64) func() {
			return all(scribble(t, r.Image, seed, false), verbs(t, r, settings))
		},
		paths: []string{"settings", "control write"},
	},
	{
		name:    "set-up and reset",
		options: func(*testing.T) harness.Options { return harness.Options{} },
		start:   lives,
		paths:   []string{"disksize", "reset"},
	},
}

func plain(*testing.T) harness.Options { return harness.Options{Disksize: "64M"} }

// withBacking is a mount with a backing file and some attributes set.
func withBacking(set ...string) func(*testing.T) harness.Options {
	return func(t *testing.T) harness.Options {
		o := harness.Options{Disksize: "64M", Args: []string{"--backing-dev", backingFile(t, 64*mib)}}
		for _, s := range set {
			o.Args = append(o.Args, "--set", s)
		}
		return o
	}
}

var writebackVerbs = []verb{
	{attr: "writeback", command: always("type=huge")},
	{attr: "idle", command: always("all")},
	{attr: "writeback", command: always("type=idle")},
	{attr: "writeback", command: always("page_indexes=0-100")},
}

// settings are attributes that may be written at any time, each with another value each time.
var settings = []verb{
	{attr: "mem_limit", command: func(i int) string { return strconv.Itoa(100+i%100) + "M" }},
	{attr: "writeback_limit_enable", command: bit, reads: bit},
	{attr: "writeback_limit", command: number, reads: number},
	{attr: "writeback_batch_size", command: number, reads: number},
	{attr: "mem_used_max", command: always("0")},
	{attr: "disksize", command: always("128M"), accept: []syscall.Errno{syscall.EBUSY}},
}

func bit(i int) string    { return strconv.Itoa(i / 7 % 2) }
func number(i int) string { return strconv.Itoa(i/7%1000 + 1) }

func all(stops ...func()) func() {
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// lives sets the disk up, writes a page, reads it and resets, over and over. Each time size and contents must be what that
// life has.
func lives(t *testing.T, r *rig, _ uint64) (stop func()) {
	return again(t, func(i int) error {
		if err := live(r, i); err != nil {
			return fmt.Errorf("life %d: %w", i, err)
		}
		return nil
	})
}

// bulk fills a stretch of pages behind the scribblers' with what takes a page of memory each, and frees it at once, over and
// over: so much that the pool gives memory back.
func bulk(t *testing.T, r *rig, seed uint64) (stop func()) {
	const size = 4 * mib
	want, got := make([]byte, size), make([]byte, size)
	fd, err := unix.Open(r.Image, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	stop = again(t, func(i int) error {
		harness.FillPage(want, harness.Random, seed+uint64(i))
		if i%2 == 1 {
			clear(want)
			err = unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, scribbleTotal, size)
		} else {
			_, err = unix.Pwrite(fd, want, scribbleTotal)
		}
		if err == nil {
			_, err = unix.Pread(fd, got, scribbleTotal)
		}
		if err == nil && !bytes.Equal(got, want) {
			err = errors.New("wrong data")
		}
		if err != nil {
			return fmt.Errorf("bulk %d: %w", i, err)
		}
		return nil
	})
	return all(stop, func() { unix.Close(fd) })
}
