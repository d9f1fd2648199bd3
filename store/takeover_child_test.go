//go:build !race

package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"uzram/internal/offheap"
)

// A child process serves a device at full load until it is killed. It notes in
// shared memory which version of each page it has begun to write, and which it has
// written, so that somebody who stops it anywhere knows what may be there.

func init() { childMain = serveUntilKilled }

// childOptions are what a child does.
type childOptions struct {
	Pages, Workers                      int
	Compressed, Pack, Checksum, Encrypt bool
	Backing                             string // path
}

// childLog is shared with the parent: by page the version begun and the one that
// was answered.
type childLog struct{ begun, done []atomic.Uint64 }

func openChildLog(arena *offheap.Arena, pages int) childLog {
	words := offheap.View[atomic.Uint64](arena, uint64(2*pages))
	return childLog{words[:pages], words[pages:]}
}

// version is what a page holds after a number of writes. Some are discards, some
// change a part of the one before.
func version(page int, number uint64) []byte {
	p := make([]byte, PageSize)
	if number == 0 {
		return p
	}
	rng := rand.New(rand.NewPCG(uint64(page), number))
	switch kind := rng.IntN(pageKinds + 3); {
	case kind < pageKinds:
		fillPage(rng, kind, p)
	case kind == pageKinds: // a discard
	default:
		p = version(page, number-1)
		from, to := part(rng)
		randomBytes(rng, p[from:to])
	}
	return p
}

func part(rng *rand.Rand) (from, to int) {
	from = rng.IntN(PageSize - 1)
	return from, from + 1 + rng.IntN(PageSize-from-1)
}

// write brings a page from its version to the next one.
func (o *childOptions) write(d *Device, s *Scratch, log childLog, page int) error {
	number := log.done[page].Load() + 1
	log.begun[page].Store(number)
	off, p := int64(page)*PageSize, version(page, number)
	rng := rand.New(rand.NewPCG(uint64(page), number))
	var err error
	switch kind := rng.IntN(pageKinds + 3); {
	case kind < pageKinds:
		_, err = d.WriteAt(s, p, off)
	case kind == pageKinds:
		err = d.Discard(s, off, PageSize)
	default:
		from, to := part(rng)
		_, err = d.WriteAt(s, p[from:to], off+int64(from))
	}
	log.done[page].Store(number)
	return err
}

// socketVault sends descriptors to the parent.
type socketVault struct{ fd int }

func (v socketVault) Hold(name string, fd int) error { return v.send("+"+name, unix.UnixRights(fd)) }
func (v socketVault) Drop(name string)               { _ = v.send("-"+name, nil) }

func (v socketVault) send(text string, rights []byte) error {
	if err := unix.Sendmsg(v.fd, []byte(text), rights, nil, 0); err != nil {
		return err
	}
	var answer [1]byte
	for {
		_, err := unix.Read(v.fd, answer[:])
		if err != unix.EINTR {
			return err
		}
	}
}

// Descriptors that a child begins with.
const (
	childSocket = 3
	childLogFD  = 4
)

func serveUntilKilled(text string) int {
	var o childOptions
	err := json.Unmarshal([]byte(text), &o)
	if err == nil {
		err = o.serve()
	}
	fmt.Fprintln(os.Stderr, "child:", err)
	return 1
}

func (o *childOptions) serve() error {
	arena, err := offheap.Open(childLogFD, offheap.Scratch)
	if err != nil {
		return err
	}
	log := openChildLog(arena, o.Pages)
	w, err := NewWorkers(o.Workers)
	if err != nil {
		return err
	}
	d := NewDevice(w)
	d.SetMemoryLocked(true)
	if err := d.SetVault(socketVault{childSocket}, testPrefix); err != nil {
		return err
	}
	if err := errors.Join(
		d.SetAlgorithm("lz4"), d.SetRecompAlgorithm(1, "zstd"), d.SetBackingDev(o.Backing), d.SetCompressedWriteback(o.Compressed),
		d.SetWritebackPack(o.Pack), d.SetWritebackChecksum(o.Checksum), d.SetWritebackEncryption(o.Encrypt),
		d.SetDisksize(uint64(o.Pages)*PageSize),
	); err != nil {
		return err
	}
	ended := make(chan error)
	for id := range o.Workers {
		go func() { ended <- o.work(d, w.Scratch(id), log, id) }()
	}
	go func() { ended <- o.passes(d) }()
	return <-ended
}

// work writes the pages that are the worker's alone, and reads any.
func (o *childOptions) work(d *Device, s *Scratch, log childLog, id int) error {
	rng := rand.New(rand.NewPCG(uint64(os.Getpid()), uint64(id)))
	buf := make([]byte, 8*PageSize)
	for {
		page := rng.IntN(o.Pages/o.Workers)*o.Workers + id
		if err := o.write(d, s, log, page); err != nil {
			return fmt.Errorf("write: %w", err)
		}
		if _, err := d.ReadAt(s, buf, int64(rng.IntN(o.Pages-8))*PageSize); err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
}

func (o *childOptions) passes(d *Device) error {
	for n := 0; ; n++ {
		_, recompressed := d.Recompress(RecompressRequest{Idle: n%2 == 0})
		first := uint64(n*37) % uint64(o.Pages)
		_, written := d.Writeback(WritebackRequest{Pages: []PageRange{{first, min(first+40, uint64(o.Pages)-1)}}})
		if err := errors.Join(recompressed, written, d.Compact(), d.MarkIdle()); err != nil {
			return err
		}
	}
}
