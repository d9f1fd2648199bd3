package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"syscall"

	"uzram/compress"
	"uzram/internal/offheap"
)

// target is what a history does I/O on: a Device, or one with a bug planted.
type target interface {
	ReadAt(s *Scratch, p []byte, off int64) (int, error)
	WriteAt(s *Scratch, p []byte, off int64) (int, error)
	Discard(s *Scratch, off, n int64) error
	FreeHint(s *Scratch, page uint64) bool
}

// trial is one device beside its shadow.
type trial struct {
	options
	dev    *Device
	disk   target
	crew   *Workers
	shadow *shadow
	codecs []compress.Codec // by priority
	sizes  sizer
	rate   int // of failing calls

	backing     *memBacking
	backingRate int // of failing requests
	budget      int // blocks; -1 = no limit
	vault       *testVault
	short       bool
	steps       int
}

// A device is checked after each checkEvery-th step, and at the end.
const checkEvery = 8

// run plays a history on a new device, compares it with its shadow after each
// step, and returns what the device ends with, or the first difference. plant,
// if not nil, puts something before the device.
func (o options) run(history []op, plant func(*Device) target) (end outcome, err error) {
	t, err := newTrial(o, plant)
	if err != nil {
		return end, err
	}
	var at op
	step := -1
	defer func() {
		// What panicked may still count as inside, so a reset could wait for ever.
		if p := recover(); p != nil {
			offheap.InjectShortage(nil)
			err = fmt.Errorf("step %d, %v: panic: %v", step, at, p)
		}
	}()
	for step, at = range history {
		if err = t.step(at); err != nil {
			err = fmt.Errorf("step %d, %v: %w", step, at, err)
			break
		}
	}
	if err == nil {
		end.disk, err = t.readBack()
		err = errors.Join(err, t.shadow.compare(t.dev, true))
		end.slots, end.counts = slotsOf(t.dev), countsOf(t.dev.Stats())
	}
	return end, errors.Join(err, t.close())
}

func newTrial(o options, plant func(*Device) target) (*trial, error) {
	crew, err := NewWorkers(o.workers)
	if err != nil {
		return nil, err
	}
	t := &trial{options: o, crew: crew, codecs: o.codecs(1), budget: -1, vault: new(testVault)}
	for _, name := range o.algorithms() {
		inner, _ := compress.Lookup(name)
		stream, err := inner.NewStream(compress.Params{})
		if err != nil {
			return nil, err
		}
		t.sizes = append(t.sizes, stream)
	}
	t.dev = NewDevice(crew, t.codecs...)
	if o.takeovers {
		if err := t.dev.SetVault(t.vault, testPrefix); err != nil {
			return nil, err
		}
	}
	t.disk = t.dev
	if plant != nil {
		t.disk = plant(t.dev)
	}
	t.shadow = newShadow(0, t.sizes)
	return t, t.setUp(op{n: o.pages * PageSize})
}

func (t *trial) close() error {
	offheap.InjectShortage(nil)
	err := errors.Join(t.dev.Reset(0), t.dev.Retire())
	for _, s := range t.sizes {
		s.Close()
	}
	t.crew.arena.Close()
	return err
}

func (t *trial) scratch(o op) *Scratch { return t.crew.Scratch(o.worker % t.workers) }

// step does one op and compares. After one that failed in part or whole, all of
// the disk is compared, for a failure must change nothing else.
func (t *trial) step(o op) error {
	before := t.shadow.failedReads + t.shadow.failedWrites
	if err := verbs[o.verb].do(t, o); err != nil {
		return err
	}
	if t.shadow.failedReads+t.shadow.failedWrites != before {
		if _, err := t.readBack(); err != nil {
			return fmt.Errorf("after a failure: %w", err)
		}
	}
	t.steps++
	if t.packs() {
		t.shadow.packed = t.dev.Stats().BackingUsed
	}
	return t.shadow.compare(t.dev, t.steps%checkEvery == 0)
}

// readBack reads the whole disk, with no failures meanwhile, and compares it.
func (t *trial) readBack() (disk []byte, err error) {
	setRate(t.codecs, 0)
	defer setRate(t.codecs, t.rate)
	if t.backing != nil {
		t.backing.rate = 0
		defer func() { t.backing.rate = t.backingRate }()
	}
	sh := t.shadow
	disk = make([]byte, len(sh.disk)+1)
	n, err := t.disk.ReadAt(t.crew.Scratch(0), disk, 0)
	if n != len(sh.disk) || err != nil {
		return nil, fmt.Errorf("reading all %d bytes: %d, %v", len(sh.disk), n, err)
	}
	sh.access(0, len(sh.pages))
	disk = disk[:n]
	for i := range sh.pages {
		if !bytes.Equal(disk[i*PageSize:(i+1)*PageSize], sh.page(i)) {
			return nil, fmt.Errorf("page %d differs", i)
		}
	}
	return disk, nil
}

// excuse returns an error unless there is reason for err. sure is for a page
// that needs neither codec nor pool.
func (t *trial) excuse(err error, sure bool) error {
	var errno syscall.Errno
	switch {
	case !errors.As(err, &errno) || errno != syscall.EIO:
	case t.short:
		return nil
	case sure:
	case errors.Is(err, ErrCodec), errors.Is(err, ErrCorruptPage):
		if t.rate > 0 {
			return nil
		}
	case errors.Is(err, ErrBacking):
		if t.backingRate > 0 {
			return nil
		}
	case errors.Is(err, ErrMemLimit):
		// The allocation that was given up took a zspage of at most 8 pages.
		if limit := t.shadow.limit; limit > 0 && t.dev.Stats().MemUsedTotal/PageSize+8 > limit {
			return nil
		}
	}
	return fmt.Errorf("failed without reason: %w", err)
}

func (t *trial) setFailRate(o op) error {
	t.rate = o.n
	setRate(t.codecs, o.n)
	return nil
}

func (t *trial) setShortage(o op) error {
	t.short = o.n >= 0
	if !t.short {
		offheap.InjectShortage(nil)
		return nil
	}
	var asked atomic.Int64
	offheap.InjectShortage(func(offheap.Purpose) error {
		if asked.Add(1) > int64(o.n) {
			return syscall.ENOMEM
		}
		return nil
	})
	return nil
}

func (t *trial) setMemLimit(o op) error {
	t.dev.SetMemLimit(uint64(o.n))
	t.shadow.limit = uint64(o.n+PageSize-1) / PageSize
	return nil
}
