//go:build invariants || race

package store

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/internal/blockfile"
	"uzram/internal/failpoint"
	"uzram/internal/offheap"
)

// deaths takes copies of what a trial's device would leave, at points on the way
// through a step.
type deaths struct {
	t   *trial
	rng *rand.Rand

	mu    sync.Mutex
	on    bool
	seen  map[failpoint.Point]int
	steps []death
	err   error
}

type death struct {
	point failpoint.Point
	left  *copies
}

// foreign points may be hit by goroutines beside the one that works, and then
// there is no one moment to be copied. So may those that only let things fail.
var foreign = []failpoint.Point{failpoint.PoolRun, failpoint.PoolDropped, failpoint.PoolPunched}

func isStep(p failpoint.Point) bool {
	return p < failpoint.BackingRead && !slices.Contains(foreign, p)
}

func (x *deaths) hit(p failpoint.Point) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.on || !isStep(p) {
		return
	}
	x.seen[p]++
	often := 2
	if !x.descriptors() {
		often = 1 // each copy takes the whole pool from the Go heap
	}
	if n := x.seen[p]; x.rng.IntN(n) >= often {
		return
	}
	c, err := leave(x.t.vault, x.t.dev)
	if err != nil {
		x.err = err
		return
	}
	if x.t.backing != nil {
		c.file = x.t.backing.clone() // which the device may be about to have
	}
	x.steps = append(x.steps, death{p, c})
}

// descriptors reports whether arenas can be had that the device has not yet, or no
// more. Without, some points of set-up and reset cannot be looked at.
func (x *deaths) descriptors() bool { return x.t.dev.state.arena.FD() >= 0 }

func (x *deaths) watch(on bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.on = on
}

// step does one op with deaths on the way and adopts what each of them left: the
// disk has old or new pages, the check finds nothing, and the device works.
func (x *deaths) step(o op) error {
	t := x.t
	if l := t.dev.live.Load(); l != nil {
		l.pool.Settle()
		if l.crew != nil {
			l.crew.workers = l.crew.workers[:1]
		}
	}
	old := bytes.Clone(t.shadow.disk)
	x.watch(o.verb != opTakeOver && (x.descriptors() || o.verb != opSetUp))
	err := t.step(o)
	x.watch(false)
	if err = errors.Join(err, x.err); err != nil {
		return err
	}
	for _, death := range x.steps {
		if err := x.adopt(death.left, o, old); err != nil {
			return fmt.Errorf("death at %s: %w", death.point.Name(), err)
		}
	}
	x.steps = nil
	return nil
}

func (x *deaths) adopt(left *copies, o op, old []byte) error {
	t := x.t
	if b, ok := left.file.(*memBacking); ok {
		b.rate = 0
	}
	next, v, err := left.successor(t.crew, t.codecs...)
	if err != nil {
		return err
	}
	if next.adoption.Lost > 0 || len(next.adoption.Findings) > 0 {
		return fmt.Errorf("found %+v", next.adoption)
	}
	if err := x.compare(next, o, old); err != nil {
		return err
	}
	return retire(next, v)
}

// compare holds a device against what its disk may be.
func (x *deaths) compare(d *Device, o op, old []byte) error {
	now := x.t.shadow.disk
	if !d.Initialised() {
		if o.verb != opSetUp && now != nil {
			return errors.New("not set up")
		}
		return nil
	}
	if report, err := d.Check(); err != nil || len(report.Findings) > 0 {
		return fmt.Errorf("check: %q, %v", report.Findings, err)
	}
	s := x.t.crew.Scratch(0)
	disk := make([]byte, d.Size())
	for range 2 {
		if n, err := d.ReadAt(s, disk, 0); n != len(disk) || err != nil {
			return fmt.Errorf("%d of %d bytes read, %v", n, len(disk), err)
		}
		for at := 0; at < len(disk); at += PageSize {
			page := disk[at:][:PageSize]
			was := len(old) == len(disk) && bytes.Equal(page, old[at:][:PageSize])
			if is := len(now) == len(disk) && bytes.Equal(page, now[at:][:PageSize]); !was && !is {
				return fmt.Errorf("page %d is neither old nor new", at/PageSize)
			}
		}
		if err := d.Compact(); err != nil {
			return err
		}
	}
	// It goes on working.
	for i := range min(len(disk)/PageSize, 8) {
		fillPage(x.rng, x.rng.IntN(pageKinds), disk[i*PageSize:][:PageSize])
	}
	if n, err := d.WriteAt(s, disk, 0); n != len(disk) && !errors.Is(err, ErrMemLimit) {
		return fmt.Errorf("%d of %d bytes written, %v", n, len(disk), err)
	}
	if err := d.Discard(s, 0, d.Size()/2); err != nil {
		return err
	}
	if report, err := d.Check(); err != nil || len(report.Findings) > 0 {
		return fmt.Errorf("check after use: %q, %v", report.Findings, err)
	}
	return nil
}

// sparse leaves a pool that gains by compaction, and compacts it. It reads all that
// it wrote.
func sparse(pages int) []op {
	history := []op{{verb: opWrite, n: pages * PageSize, fill: halfPage, seed: 1}, {verb: opRead, n: pages * PageSize}}
	for i := 1; i < pages; i += 2 {
		history = append(history, op{verb: opDiscard, off: i * PageSize, n: PageSize})
	}
	return append(history, op{verb: opCompact}, op{verb: opSetUp, n: pages * PageSize})
}

// nibbles recompresses pages that gain by it: only an algorithm that counts
// symbols makes them smaller.
func (x *deaths) nibbles(pages int) error {
	buf := make([]byte, pages*PageSize)
	randomBytes(x.rng, buf)
	for i := range buf {
		buf[i] &= 0x0f
	}
	if _, err := x.t.disk.WriteAt(x.t.crew.Scratch(0), buf, 0); err != nil {
		return err
	}
	x.t.shadow.store(buf, 0)
	return x.step(op{verb: opRecompress})
}

// Histories in which the process dies at each point again and again.
func TestDeathAtEveryPoint(t *testing.T) {
	rng := newRand(t)
	seen, complete := make(map[failpoint.Point]int), 0
	for _, o := range []options{
		{algorithm: "lz4", pages: 70, workers: 2, secondary: []string{"zstd"}, blocks: 60, checksum: true},
		{algorithm: "lzo-rle", pages: 40, workers: 1, secondary: []string{"lz4"}, blocks: 60, compressed: true, pack: true, encrypt: true},
		{algorithm: "lz4", pages: 150, workers: 3, limits: true},
	} {
		o.takeovers, o.resets = true, true
		t.Run(o.String(), func(t *testing.T) {
			trial, err := newTrial(o, nil)
			if err != nil {
				t.Fatal(err)
			}
			x := &deaths{t: trial, rng: rng, seen: seen}
			failpoint.Observe(x.hit)
			defer failpoint.Observe(nil)
			if len(o.secondary) > 0 {
				if err := x.nibbles(8); err != nil {
					t.Fatal(err)
				}
			}
			steps := 120
			if !x.descriptors() {
				steps = 20
			} else {
				complete++
			}
			history := append(sparse(o.pages), o.generate(rng, steps)...)
			for i, op := range history {
				if err := x.step(op); err != nil {
					t.Fatalf("step %d, %v: %v", i, op, err)
				}
			}
			if err := trial.close(); err != nil {
				t.Error(err)
			}
		})
	}
	for _, s := range failpoint.Steps() {
		switch s.Path {
		case "compact", "recompress", "disksize", "reset", "settings", "same-filled", "partial write", "writeback":
			if complete == 0 {
				continue
			}
			fallthrough
		case "write", "free", "read", "recompress, writeback":
			if seen[s.Point] == 0 && !slices.Contains(foreign, s.Point) && s.Point != failpoint.DisksizeTold {
				t.Errorf("nobody came by %s", s.Name)
			}
		}
	}
}

// again is a copy of what the copies have become.
func (c *copies) again() (*copies, error) {
	n := &copies{arenas: make(map[string]*offheap.Arena)}
	for name, arena := range c.arenas {
		var err error
		if n.arenas[name], err = arena.Copy(); err != nil {
			n.left()
			return nil, err
		}
	}
	if b, ok := c.file.(*memBacking); ok {
		n.file = b.clone()
	}
	return n, nil
}

// Whoever takes over may die of it, at any point; the next one finds the same.
func TestDeathDuringTakeOver(t *testing.T) {
	d, w, v := newHeldDevice(t, 2)
	setUp(t, d, "lz4", 100)
	s, rng := w.Scratch(0), newRand(t)
	disk := fillDisk(t, d, s, rng)
	if err := d.Discard(s, 3*PageSize, 5*PageSize); err != nil {
		t.Fatal(err)
	}
	clear(disk[3*PageSize : 8*PageSize])
	left, err := leave(v, d)
	if err != nil {
		t.Fatal(err)
	}
	var found []*copies
	var mu sync.Mutex
	last, least := failpoint.AdoptDevice, 5
	if d.state.arena.FD() < 0 {
		// Once the pool stands it gives memory back beside us, which is no race only
		// to the system.
		last, least = failpoint.AdoptClaimed, 3
	}
	failpoint.Observe(func(p failpoint.Point) {
		if p < failpoint.AdoptMapped || p > last {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		c, err := left.again()
		if err != nil {
			t.Error(err)
			return
		}
		found = append(found, c)
	})
	defer failpoint.Observe(nil)
	first, fv, err := left.successor(w)
	failpoint.Observe(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < least {
		t.Errorf("%d deaths", len(found))
	}
	devices, vaults := []*Device{first}, []*testVault{fv}
	for _, c := range found {
		next, nv, err := c.successor(w)
		if err != nil {
			t.Fatal(err)
		}
		devices, vaults = append(devices, next), append(vaults, nv)
	}
	for i, next := range devices {
		check(t, next)
		wantDisk(t, next, s, disk)
		if got, want := countsOf(next.Stats()), countsOf(d.Stats()); got.orig != want.orig || got.compr != want.compr {
			t.Errorf("counts %+v, want %+v", got, want)
		}
		if err := retire(next, vaults[i]); err != nil {
			t.Error(err)
		}
	}
}

// Whoever takes over while one backing device replaces another has one of them,
// and its own file.
func TestDeathWhileReplacingABackingDevice(t *testing.T) {
	d, w, v := newHeldDevice(t, 1)
	sizes := make(map[string]int64)
	for i := range int64(3) {
		path := filepath.Join(t.TempDir(), "file")
		if err := blockfile.New(path, uint64(i+1)*PageSize); err != nil {
			t.Fatal(err)
		}
		sizes[path] = (i + 1) * PageSize
	}
	paths := slices.Sorted(maps.Keys(sizes))
	if err := d.SetBackingDev(paths[0]); err != nil {
		t.Fatal(err)
	}
	for i, path := range paths[1:] {
		var points []failpoint.Point
		var lefts []*copies
		failpoint.Observe(func(p failpoint.Point) {
			if p != failpoint.SettingChanged && p != failpoint.SettingHalf && p != failpoint.SettingRecorded {
				return
			}
			left, err := leave(v, d)
			if err != nil {
				t.Error(err)
				return
			}
			// The descriptor of the one before is closed by the time we look.
			for name, fd := range left.files {
				left.files[name] = dupFD(t, fd)
			}
			points, lefts = append(points, p), append(lefts, left)
		})
		err := d.SetBackingDev(path)
		failpoint.Observe(nil)
		if err != nil || len(points) != 3 {
			t.Errorf("%d deaths, %v", len(points), err)
		}
		for k, p := range points {
			next, nv, err := lefts[k].successor(w)
			if err != nil {
				t.Fatal(err)
			}
			want := paths[i]
			if p == failpoint.SettingRecorded {
				want = path
			}
			if next.BackingDev() != want || next.backing.Size() != sizes[want] {
				t.Errorf("at %s: %s of %d bytes", p.Name(), next.BackingDev(), next.backing.Size())
			}
			if err := retire(next, nv); err != nil {
				t.Error(err)
			}
			for _, fd := range lefts[k].files {
				unix.Close(fd)
			}
		}
	}
}
