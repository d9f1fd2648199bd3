package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"uzram/compress"
	"uzram/internal/blockfile"
	"uzram/internal/offheap"
)

// testVault notes what is held, with a copy of each descriptor that there is.
type testVault struct {
	mu   sync.Mutex
	held map[string]int // by name; -1 where arenas have no descriptor
	fail func(name string) error
}

func (v *testVault) Hold(name string, fd int) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.fail != nil {
		if err := v.fail(name); err != nil {
			return err
		}
	}
	if fd >= 0 {
		var err error
		if fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			return err
		}
	}
	v.forget(name)
	if v.held == nil {
		v.held = make(map[string]int)
	}
	v.held[name] = fd
	return nil
}

func (v *testVault) Drop(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.forget(name)
}

func (v *testVault) forget(name string) {
	if fd, ok := v.held[name]; ok && fd >= 0 {
		unix.Close(fd)
	}
	delete(v.held, name)
}

// names are those held, without their common prefix.
func (v *testVault) names() (names []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name := range v.held {
		names = append(names, strings.TrimPrefix(name, testPrefix))
	}
	slices.Sort(names)
	return names
}

const testPrefix = "d0."

// copies is an estate: copies of what a process would leave if it died now.
type copies struct {
	arenas map[string]*offheap.Arena // nil: held, but not to be had
	file   Backing                   // nil = none that has no descriptor
	files  map[string]int            // descriptors of backing devices
	taken  []*offheap.Arena
	pidfds map[string]int // of processes before
}

// leave copies what vault and device have at this moment. Nobody may change them
// meanwhile.
func leave(v *testVault, d *Device) (*copies, error) {
	own := map[string]*offheap.Arena{stateName: d.state.arena}
	if l := d.live.Load(); l != nil {
		if d.state.arena.FD() < 0 {
			l.pool.Settle() // to the race detector, free memory is no exception
		}
		for what, arena := range l.setUpArenas() {
			own[generationName(d.settings.generation, what)] = arena
		}
	}
	c := &copies{arenas: make(map[string]*offheap.Arena), files: make(map[string]int)}
	for _, name := range v.names() {
		fd := v.held[testPrefix+name]
		if strings.HasPrefix(name, processPrefix) { // this one
			continue
		}
		if strings.HasPrefix(name, "backing.") {
			if fd >= 0 {
				c.files[name] = fd
			}
			continue
		}
		arena, err := copyOf(fd, name, own[name])
		if err != nil {
			c.left()
			return nil, err
		}
		c.arenas[name] = arena
	}
	if b, ok := d.backing.(*memBacking); ok {
		c.file = b.clone()
	}
	return c, nil
}

var purposes = map[string]offheap.Purpose{
	"state": offheap.DeviceState, "slots": offheap.SlotTable, "elements": offheap.SameFilledElements,
	"pool": offheap.PoolData, "seals": offheap.BackingSeals,
}

func purposeOf(name string) offheap.Purpose {
	return purposes[name[strings.LastIndexByte(name, '.')+1:]]
}

func dupFD(t testing.TB, fd int) int {
	t.Helper()
	fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}

// copyOf copies an arena, by its descriptor if it has one.
func copyOf(fd int, name string, arena *offheap.Arena) (*offheap.Arena, error) {
	if fd >= 0 {
		fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		if arena, err = offheap.Open(fd, purposeOf(name)); err != nil {
			unix.Close(fd)
			return nil, err
		}
		defer arena.Close()
	}
	if arena == nil {
		return nil, nil
	}
	return arena.Copy()
}

func (c *copies) arena(name string, _ offheap.Purpose) (*offheap.Arena, error) {
	arena := c.arenas[name]
	if arena == nil || slices.Contains(c.taken, arena) {
		return nil, fmt.Errorf("%s was not handed over: %w", name, syscall.EINVAL)
	}
	c.taken = append(c.taken, arena)
	return arena, nil
}

func (c *copies) backing(name, path string, size int64) (Backing, error) {
	if fd, ok := c.files[name]; ok {
		fd, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		return blockfile.Adopt(fd, path, size)
	}
	if c.file == nil {
		return nil, fmt.Errorf("%s was not handed over: %w", name, syscall.EINVAL)
	}
	return c.file, nil
}

func (c *copies) processes() map[string]int { return maps.Clone(c.pidfds) }

func (c *copies) left() (names []string) {
	for _, name := range slices.Sorted(maps.Keys(c.arenas)) {
		if arena := c.arenas[name]; arena != nil && !slices.Contains(c.taken, arena) {
			arena.Close()
			names = append(names, name)
		}
	}
	return names
}

func (b *memBacking) clone() *memBacking {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &memBacking{data: slices.Clone(b.data)}
}

// successor adopts what was left, with a vault of its own that holds the same.
func (c *copies) successor(w *Workers, codecs ...compress.Codec) (*Device, *testVault, error) {
	v := new(testVault)
	for name, arena := range c.arenas {
		fd := -1
		if arena != nil {
			fd = arena.FD()
		}
		if err := v.Hold(testPrefix+name, fd); err != nil {
			return nil, nil, err
		}
	}
	d, err := adoptDevice(w, keeping{v, testPrefix}, c, codecs...)
	return d, v, err
}

// retire ends a device of a test and says what is left of it.
func retire(d *Device, v *testVault) error {
	err := errors.Join(d.Reset(d.Opens()), d.Retire())
	if names := v.names(); len(names) > 0 {
		err = errors.Join(err, fmt.Errorf("a device that is no more has left %q", names))
	}
	return err
}

// newHeldDevice is a device of a crew of n whose descriptors a vault has, not set
// up.
func newHeldDevice(t testing.TB, n int, codecs ...compress.Codec) (*Device, *Workers, *testVault) {
	t.Helper()
	w, v := newWorkers(t, n), new(testVault)
	d := NewDevice(w, codecs...)
	if err := d.SetVault(v, testPrefix); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := retire(d, v); err != nil {
			t.Error(err)
		}
	})
	return d, w, v
}

// takenOver is what a successor finds of a device now.
func takenOver(t testing.TB, d *Device, w *Workers, v *testVault, codecs ...compress.Codec) *Device {
	t.Helper()
	c, err := leave(v, d)
	if err != nil {
		t.Fatal(err)
	}
	next, nv, err := c.successor(w, codecs...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := retire(next, nv); err != nil {
			t.Error(err)
		}
	})
	return next
}
