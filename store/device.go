package store

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
)

// PageSize is the size of a slot's page in bytes.
const PageSize = alloc.PageSize

// Device is one disk. All methods may be called concurrently.
//
//	not set up ──SetDisksize──> live ──Reset──> not set up
//
// Settings are made while it is not set up; opens are counted in both states.
type Device struct {
	workers *Workers
	extra   []compress.Codec

	cfgMu     lockdep.RWMutex[lockdep.SettingsRank]
	settings  settings                           // guarded by cfgMu; see change
	state     *state                             // fixed once the device is in use
	keeping   keeping                            // likewise
	memLimit  atomic.Uint64                      // as in the settings
	backing   Backing                            // nil = none; guarded by cfgMu
	writing   writebackSettings                  // may change at any time
	locked    atomic.Bool                        // this process's memory is never swapped out
	openFile  func(path string) (Backing, error) // opens backing devices in place of blockfile; nil
	live      atomic.Pointer[live]               // nil before set-up; stored under cfgMu and gate
	adoption  Adoption                           // fixed
	restoring bool                               // guarded by cfgMu
	keptLeast uint64                             // bytes that a snapshot may keep in any case
	forebears forebears                          // processes that may be writing to the backing device
	announced atomic.Bool                        // successors will know of this process

	gate    lockdep.RWMutex[lockdep.GateRank] // held for writing while I/O is held up
	serving atomic.Pointer[live]              // live for I/O: nil also while it is held up; stored under gate

	openMu    lockdep.Mutex[lockdep.OpensRank]
	opens     int
	resetting bool
	closed    chan struct{} // receives when an open ends while a reset waits
}

// live is what a device has between disksize and reset. Its fields do not
// change; what they point to is shared by all workers, except counters and
// streams, of which worker i uses the i-th. The last counters are those of
// control verbs.
//
// passMu serialises what goes over all slots or all objects: compaction, check,
// marking, recompression by stretches.
type live struct {
	size     int64
	table    *table
	elements *elements
	pool     *alloc.Pool
	streams  []compress.Stream
	counters []counters
	memLimit *atomic.Uint64

	poolOptions []alloc.Option

	readers [priorities][]compress.Decompressor // the workers', of secondary algorithms
	backing *backing                            // nil = none
	fetch   *fetchCrew                          // nil without backing device
	crew    *passCrew                           // nil without secondary algorithm and backing device
	post    postRuns

	passMu    lockdep.Mutex[lockdep.PassRank]
	audit     atomic.Pointer[audit] // of a check under way
	snapshot  atomic.Pointer[snapshotRun]
	compactor compactor

	*setUpFigures
}

// NewDevice makes a device that is not set up, served by a crew. It knows the
// extra algorithms beside those of package compress.
func NewDevice(w *Workers, extra ...compress.Codec) *Device {
	d := &Device{workers: w, extra: extra, settings: defaultSettings(), closed: make(chan struct{}, 1), keptLeast: keptLeast}
	d.forebears.patience = forebearPatience
	d.useState(newState(w.Len()))
	d.state.batch.Store(defaultBatch)
	return d
}

func (d *Device) useState(st *state) { d.state, d.writing.state = st, st }

// Size is the length of the disk in bytes, 0 before set-up.
func (d *Device) Size() int64 {
	if l := d.live.Load(); l != nil {
		return l.size
	}
	return 0
}

// Initialised reports whether disksize is set.
func (d *Device) Initialised() bool { return d.live.Load() != nil }

// maxDisksize is what a file can have, in whole pages.
const maxDisksize = math.MaxInt64 - (PageSize - 1)

// SetDisksize sets the device up with a disk of at least bytes, rounded up to
// whole pages. EINVAL: 0, more than a file can have, or parameters that the
// algorithm refuses (EOPNOTSUPP where it knows no such parameter); EBUSY: set up
// already; ENOMEM. When an algorithm refuses, all algorithm choices go back to
// their defaults.
func (d *Device) SetDisksize(bytes uint64) error {
	if bytes == 0 || bytes > maxDisksize {
		return fmt.Errorf("disksize %d: accepted are 1 to %d bytes: %w", bytes, uint64(maxDisksize), syscall.EINVAL)
	}
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	if err := d.settable(); err != nil {
		return err
	}
	pages := (bytes + PageSize - 1) / PageSize
	l, refused, err := d.build(pages, nil)
	if err != nil {
		if refused {
			err = errors.Join(err, d.change((*settings).defaultAlgorithms))
		}
		return err
	}
	if err := l.reserve(pages); err != nil {
		l.close()
		return fmt.Errorf("disksize %d: %w", bytes, err)
	}
	if err := d.noteSetUp(l); err != nil {
		l.close()
		return fmt.Errorf("disksize %d: %w", bytes, err)
	}
	failpoint.Hit(failpoint.DisksizeRecorded)
	l.compactor.start(l)
	d.setLive(l)
	failpoint.Hit(failpoint.DisksizeLive)
	return nil
}

// noteSetUp has a successor find the device set up, its figures at 0. On an
// error it finds it as before.
func (d *Device) noteSetUp(l *live) error {
	d.state.clear()
	generation := d.settings.generation + 1
	failpoint.Hit(failpoint.DisksizeReserved)
	err := d.holdSetUp(l, generation)
	if err == nil {
		failpoint.Hit(failpoint.DisksizeHeld)
		err = d.change(func(s *settings) { s.generation, s.disksize, s.before = generation, uint64(l.size), nil })
	}
	if err != nil {
		d.dropSetUp(generation)
	}
	return err
}

// build makes a set-up but for what holds its pages, with cfgMu held. seals are
// the backing device's of a process before us, nil if there was none. refused: it
// was an algorithm that failed. After an error seals are the caller's.
func (d *Device) build(pages uint64, seals *offheap.Arena) (l *live, refused bool, err error) {
	streams, err := d.openStreams(d.workers.Len())
	if err != nil {
		return nil, true, err
	}
	l = &live{
		size:     int64(pages * PageSize),
		streams:  streams,
		counters: d.state.counters,
		memLimit: &d.memLimit,

		poolOptions:  d.settings.poolOptions(),
		setUpFigures: &d.state.setUpFigures,
	}
	failpoint.Hit(failpoint.DisksizeOpened)
	l.post.init()
	if d.backing != nil {
		if d.writing.encrypt.Load() && seals == nil {
			err = d.state.newKey()
		}
		if err == nil {
			l.backing, err = newBacking(d.backing, d.settings.blocks, &d.writing, seals)
		}
	}
	if err == nil {
		err = d.openCrew(l)
	}
	if err == nil {
		err = d.openAlgorithms(l, streams[0])
		refused = err != nil
	}
	if err != nil {
		if l.backing != nil {
			l.backing.letGo(seals)
		}
		l.close()
		return nil, refused, err
	}
	return l, false, nil
}

// reserve takes the address space for a disk of that many pages. A table that
// the machine could never hold is refused at once, as the kernel does, which
// allocates it whole.
func (l *live) reserve(pages uint64) (err error) {
	bound := memoryBound()
	if pages > bound/slotBytes {
		return fmt.Errorf("a slot table of %d bytes: %w", pages*slotBytes, syscall.ENOMEM)
	}
	if l.table, err = newTable(pages); err != nil {
		return err
	}
	if l.elements, err = newElements(pages); err != nil {
		return err
	}
	l.pool, err = alloc.New(pages, bound, len(l.streams), l.poolOptions...)
	return err
}

// memoryBound is more than anything can ever take on this machine, in bytes:
// memory and swap, and as much again for what is added while we run.
func memoryBound() uint64 {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return math.MaxUint64
	}
	return 2 * (uint64(info.Totalram) + uint64(info.Totalswap)) * uint64(info.Unit)
}

func (l *live) close() {
	l.compactor.end()
	if l.pool != nil {
		l.pool.Close()
	}
	if l.elements != nil {
		l.elements.close()
	}
	if l.table != nil {
		l.table.close()
	}
	for _, s := range l.streams {
		s.Close()
	}
	for _, readers := range l.readers {
		for _, r := range readers {
			r.Close()
		}
	}
	l.crew.close()
	l.fetch.close()
	if l.backing != nil {
		l.backing.closeTables()
	}
}

// Open counts the image open; EBUSY while a reset runs.
func (d *Device) Open() error {
	d.openMu.Lock()
	defer d.openMu.Unlock()
	if d.resetting {
		return ErrResetting
	}
	d.opens++
	return nil
}

// Close ends what Open began.
func (d *Device) Close() {
	d.openMu.Lock()
	d.opens--
	d.openMu.Unlock()
	select {
	case d.closed <- struct{}{}:
	default:
	}
}

// Opens is how many opens the image has.
func (d *Device) Opens() int {
	d.openMu.Lock()
	defer d.openMu.Unlock()
	return d.opens
}

// closeGrace is how long a reset waits for closes under way: the kernel tells a
// FUSE server of the last close only after close(2) has returned.
const closeGrace = 200 * time.Millisecond

// Reset gives all memory back and all settings but the writeback ones their
// defaults. ownOpens is how many opens of the image are the caller's own (a loop
// device of which he knows that it is idle). EBUSY: the image has more opens
// than that, or another reset is running.
func (d *Device) Reset(ownOpens int) error {
	if err := d.Claim(ownOpens); err != nil {
		return err
	}
	defer d.Unclaim()
	return d.ResetClaimed()
}

// ResetClaimed is Reset for who holds the claim.
func (d *Device) ResetClaimed() error {
	failpoint.Hit(failpoint.ResetClaimed)
	d.cfgMu.Lock()
	defer d.cfgMu.Unlock()
	l := d.live.Load()
	if l == nil && d.restoring {
		return ErrRestoring
	}
	if l != nil {
		d.setLive(nil)
		l.post.end()
		d.waitOutside(math.MaxInt64)
	}
	failpoint.Hit(failpoint.ResetHidden)
	generation, backing := d.settings.generation, d.settings.backings
	err := d.change((*settings).reset) // a successor finds it reset from here on
	failpoint.Hit(failpoint.ResetRecorded)
	if l != nil {
		l.close()
		failpoint.Hit(failpoint.ResetClosed)
		d.dropSetUp(generation)
	}
	failpoint.Hit(failpoint.ResetDropped)
	clear(d.state.key[:])
	d.memLimit.Store(0)
	d.dropBacking(backing)
	return err
}

// Claim keeps others from opening the image until Unclaim, once all but ownOpens
// have closed it. EBUSY: there are more, or it is claimed already.
func (d *Device) Claim(ownOpens int) error {
	deadline := time.NewTimer(closeGrace)
	defer deadline.Stop()
	for last := false; ; {
		d.openMu.Lock()
		if d.resetting {
			d.openMu.Unlock()
			return ErrResetting
		}
		if d.opens <= ownOpens {
			d.resetting = true
			d.openMu.Unlock()
			return nil
		}
		d.openMu.Unlock()
		if last {
			return ErrInUse
		}
		select {
		case <-d.closed:
		case <-deadline.C:
			last = true // a close may have come while nobody here had a CPU
		}
	}
}

// Unclaim ends a claim.
func (d *Device) Unclaim() {
	d.openMu.Lock()
	d.resetting = false
	d.openMu.Unlock()
}

// withLive runs a control verb on a device that is set up and stays so.
func (d *Device) withLive(verb func(*live) error) error {
	d.cfgMu.RLock()
	defer d.cfgMu.RUnlock()
	l := d.live.Load()
	if l == nil {
		return ErrNotSetUp
	}
	err := verb(l)
	lockdep.AssertNoneHeld(lockdep.Pass)
	return err
}
