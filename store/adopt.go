package store

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/blockfile"
	"uzram/internal/failpoint"
	"uzram/internal/offheap"
)

// Adoption is what a take-over found.
type Adoption struct {
	Slots    uint64        // in use
	Lost     uint64        // of them, those that named what is not there; they read as EIO
	Findings []string      // about the first of these, and about a backing device that is not to be had
	Took     time.Duration // until the device stood
}

// Adoption is what was found when the device was taken over; zero if it was not.
func (d *Device) Adoption() Adoption { return d.adoption }

// AdoptDevice makes the device that a process before this one kept in a vault
// under names that begin with prefix. It takes those descriptors out of fds,
// whatever comes of it, and has the vault drop those that count no more.
//
// The process before must be gone, or do nothing to the device any more. Locks and
// marks of its requests are taken off; what no commit word names is free. Errors
// leave everything as it was, for the next to try: EINVAL where the descriptors
// are not a device's or of another format; ENOMEM; or an algorithm's, one that
// this process does not know.
func AdoptDevice(w *Workers, v Vault, prefix string, fds map[string]int, extra ...compress.Codec) (*Device, error) {
	return adoptDevice(w, keeping{v, prefix}, inherited(prefix, fds), extra...)
}

// estate is what a process left of a device, by name. Who asks for something owns
// it from then on.
type estate interface {
	arena(name string, purpose offheap.Purpose) (*offheap.Arena, error)
	backing(name, path string, size int64) (Backing, error)
	// processes are pidfds of those that may not have ended, by name.
	processes() map[string]int
	// left closes what nobody asked for and returns its names.
	left() []string
}

func adoptDevice(w *Workers, k keeping, e estate, extra ...compress.Codec) (*Device, error) {
	start := time.Now()
	d := NewDevice(w, extra...)
	d.keeping = k
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	d.forebears.adopt(e.processes())
	err := d.adoptState(e)
	if err == nil {
		d.adoptBacking(e)
		err = d.adoptSetUp(e)
	}
	rest := e.left()
	if err != nil {
		d.abandon()
		return nil, err
	}
	for _, name := range rest {
		k.drop(name)
	}
	if d.live.Load() == nil {
		clear(d.state.key[:])
	}
	d.forebearsGone() // hardly ever are they not
	d.adoption.Took = time.Since(start)
	failpoint.Hit(failpoint.AdoptDevice)
	return d, nil
}

// abandon lets go of what was adopted before it failed.
func (d *Device) abandon() {
	d.forebears.forget()
	if d.backing != nil {
		d.backing.Close()
	}
	if d.state.arena != nil {
		d.state.arena.Close()
	}
}

func (d *Device) adoptState(e estate) error {
	arena, err := e.arena(stateName, offheap.DeviceState)
	if err != nil {
		return err
	}
	st, err := stateIn(arena, d.workers.Len())
	if err != nil {
		arena.Close()
		return err
	}
	d.useState(st)
	if d.settings, err = st.load(); err != nil {
		return err
	}
	d.memLimit.Store(d.settings.memLimit)
	d.writing.follow(&d.settings)
	d.writing.giveBackLent()
	return nil
}

// adoptBacking takes the backing device. Where that is not to be had the rest goes
// on without it, and what lies on it stays there for a process that has it.
func (d *Device) adoptBacking(e estate) {
	s := &d.settings
	if s.backing == "" {
		return
	}
	size := int64(s.blocks * PageSize)
	b, err := e.backing(backingName(s.backings), s.backing, size)
	if err != nil {
		d.adoption.Findings = append(d.adoption.Findings, err.Error())
		b = absentBacking{s.backing, size}
	}
	d.backing = b
}

// adoptSetUp makes the device live if the record says so.
func (d *Device) adoptSetUp(e estate) error {
	s := &d.settings
	if s.disksize == 0 {
		return nil
	}
	if s.disksize%PageSize != 0 || s.disksize > maxDisksize {
		return fmt.Errorf("a disk of %d bytes: %w", s.disksize, syscall.EINVAL)
	}
	a := adoptedArenas{}
	err := a.open(e, s.generation, d.backing != nil && d.writing.sealBits() > 0)
	if err != nil {
		a.close()
		return err
	}
	failpoint.Hit(failpoint.AdoptMapped)
	l, err := d.adoptLive(&a)
	if err != nil {
		a.close()
		return err
	}
	l.compactor.start(l)
	d.setLive(l)
	return nil
}

// adoptedArenas are a set-up's, nil where somebody has taken them.
type adoptedArenas struct{ slots, elements, pool, seals *offheap.Arena }

func (a *adoptedArenas) open(e estate, generation uint64, sealed bool) (err error) {
	for _, x := range []struct {
		arena   **offheap.Arena
		what    string
		purpose offheap.Purpose
		wanted  bool
	}{
		{&a.slots, "slots", offheap.SlotTable, true},
		{&a.elements, "elements", offheap.SameFilledElements, true},
		{&a.pool, "pool", offheap.PoolData, true},
		{&a.seals, "seals", offheap.BackingSeals, sealed},
	} {
		if x.wanted && err == nil {
			*x.arena, err = e.arena(generationName(generation, x.what), x.purpose)
		}
	}
	return err
}

func (a *adoptedArenas) close() {
	for _, arena := range []*offheap.Arena{a.slots, a.elements, a.pool, a.seals} {
		if arena != nil {
			arena.Close()
		}
	}
}

// adoptLive makes a set-up of arenas, which it takes out of a as they find their
// places.
func (d *Device) adoptLive(a *adoptedArenas) (*live, error) {
	pages := d.settings.disksize / PageSize
	l, _, err := d.build(pages, a.seals)
	if err != nil {
		return nil, err
	}
	a.seals = nil
	if l.table, err = tableIn(a.slots, pages); err != nil {
		l.close()
		return nil, err
	}
	a.slots = nil
	l.elements = elementsIn(a.elements)
	a.elements = nil
	pool, err := alloc.Adopt(a.pool, d.workers.Len(), l.poolOptions...)
	if err != nil {
		l.close()
		return nil, err
	}
	a.pool = nil
	r := rebuild{live: l, pool: pool, report: &d.adoption}
	if err := r.run(); err != nil {
		pool.Abandon()
		l.close()
		return nil, err
	}
	if l.pool, err = pool.Finish(); err != nil {
		l.close()
		return nil, err
	}
	d.state.recount(&r.sum)
	failpoint.Hit(failpoint.AdoptPool)
	return l, nil
}

// descriptors is an estate as it comes from a keeper.
type descriptors struct {
	prefix string
	fds    map[string]int // without the prefix
}

// inherited takes a device's descriptors out of all that were handed over.
func inherited(prefix string, all map[string]int) *descriptors {
	e := &descriptors{prefix, make(map[string]int)}
	for name, fd := range all {
		if what, ours := strings.CutPrefix(name, prefix); ours {
			e.fds[what] = fd
			delete(all, name)
		}
	}
	return e
}

func (e *descriptors) take(name string) (int, error) {
	fd, ok := e.fds[name]
	if !ok {
		return -1, fmt.Errorf("%s%s was not handed over: %w", e.prefix, name, syscall.EINVAL)
	}
	delete(e.fds, name)
	return fd, nil
}

func (e *descriptors) arena(name string, purpose offheap.Purpose) (*offheap.Arena, error) {
	fd, err := e.take(name)
	if err != nil {
		return nil, err
	}
	arena, err := offheap.Open(fd, purpose)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s%s: %w", e.prefix, name, err)
	}
	return arena, nil
}

func (e *descriptors) backing(name, path string, size int64) (Backing, error) {
	fd, err := e.take(name)
	if err != nil {
		return nil, err
	}
	b, err := blockfile.Adopt(fd, path, size)
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s%s: %w", e.prefix, name, err)
	}
	return b, nil
}

func (e *descriptors) processes() map[string]int {
	pidfds := make(map[string]int)
	for name, fd := range e.fds {
		if strings.HasPrefix(name, processPrefix) {
			pidfds[name] = fd
			delete(e.fds, name)
		}
	}
	return pidfds
}

func (e *descriptors) left() (names []string) {
	for name, fd := range e.fds {
		unix.Close(fd)
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
