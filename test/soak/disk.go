package soak

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"uzram/compress"
	"uzram/compress/codectest"
	"uzram/internal/blockfile"
	"uzram/store"
)

// disk is a device and what is known of it.
type disk struct {
	name  string
	dev   *store.Device
	file  string   // to write pages back to
	codes []string // algorithms to choose from, the default one's kin more often
	bad   []*codectest.Failing
	life  atomic.Pointer[life]

	visitors atomic.Int64 // sessions, or those about to begin one
	closed   atomic.Bool  // to new sessions
	evicting sync.RWMutex // held for a reset that takes no heed of opens

	altering sync.RWMutex // held for reading by who replaces objects
	limited  spell
	weather  sync.Mutex // whose holder makes codecs fail, or keeps others from it
}

func (s *soak) newDisk(i int) (*disk, error) {
	d := &disk{name: fmt.Sprintf("disk %d", i), codes: compress.Names(), file: filepath.Join(s.Dir, fmt.Sprint("disk", i))}
	if err := blockfile.New(d.file, blockfile.Block); err != nil {
		return nil, err
	}
	var extra []compress.Codec
	for _, name := range d.codes {
		c, _ := compress.Lookup(name)
		bad := codectest.NewFailing(c, s.Seed)
		d.bad = append(d.bad, bad)
		extra = append(extra, codectest.Waiting(c), codectest.Slow(c, s.Seed), bad)
	}
	for _, c := range extra {
		d.codes = append(d.codes, c.Name())
	}
	for _, name := range d.codes {
		if strings.HasPrefix(name, compress.DefaultName) {
			d.codes = append(d.codes, name)
		}
	}
	d.dev = store.NewDevice(s.crew, extra...)
	d.dev.SetMemoryLocked(true) // so says the soak; nothing here is secret
	d.life.Store(newLife(0, hotPages, len(s.workers)))
	return d, nil
}

// failures is how many calls of the disk's codecs were made to fail.
func (d *disk) failures() (n uint64) {
	for _, bad := range d.bad {
		n += bad.Failures()
	}
	return n
}

func (d *disk) setRate(perMille int) {
	for _, bad := range d.bad {
		bad.SetRate(perMille)
	}
}

// errClosed keeps sessions away from a disk that its landlord wants to himself.
var errClosed = errors.New("closed for sessions")

func (d *disk) open() error {
	d.visitors.Add(1)
	err := errClosed
	if !d.closed.Load() {
		err = d.dev.Open()
	}
	if err != nil {
		d.visitors.Add(-1)
	}
	return err
}

func (d *disk) close() {
	d.dev.Close()
	d.visitors.Add(-1)
}
