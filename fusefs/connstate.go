package fusefs

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"uzram/internal/offheap"
)

// connState is what a process that takes the connection over must know of it. It
// lies in an arena of its own, whose layout is part of the format. Everything is
// written in an order in which a death between two steps does no harm: what makes
// an entry count is written last, and first where it ends.
type connState struct {
	*connLayout
	arena *offheap.Arena
}

// connLayout is that arena. Never reorder.
type connLayout struct {
	connWords
	_       [2*pageSize - unsafe.Sizeof(connWords{})]byte
	opens   [imageOpens]openPlace
	aside   [maxAside]atomic.Uint64 // requests beside the workers, by unique; 0 = free
	journal [journalEntries]journalEntry
}

// connWords are the first pages. Never reorder.
type connWords struct {
	device  atomic.Uint64 // number of the mount; no other has it as long as this one lives
	dirLen  atomic.Uint64
	dir     [maxDir]byte  // absolute, without symbolic links
	handles atomic.Uint64 // given out, ever
	greeted atomic.Uint64 // 1 = INIT is as follows
	agreed  atomic.Uint64 // capabilities
	initLen atomic.Uint64
	init    [maxInit]byte // the request
	crew    atomic.Uint64 // workers that ever had counts
	kept    atomic.Uint64 // Options.Kept
}

const (
	maxDir  = 4096
	maxInit = 512

	// imageOpens is how many opens of the image there can be at a time.
	imageOpens = 4096
	// maxAside is how many requests can run, or wait to run, beside the workers.
	maxAside = 4096
	// journalEntries is several times as many as can be at work, so that entries
	// whose answer a dead process left behind last until they are asked for.
	journalEntries = 256

	connBytes = uint64(unsafe.Sizeof(connLayout{}))
)

// newConnState makes the state of a connection that is to come.
func newConnState() (*connState, error) {
	arena, err := offheap.New(offheap.ConnState, connBytes, pageSize)
	if err != nil {
		return nil, fmt.Errorf("state of the connection: %w", err)
	}
	return connStateIn(arena)
}

// connStateIn is the state in an arena, which it owns from then on. All of it is
// present from the start: serving must not wait for memory.
func connStateIn(arena *offheap.Arena) (*connState, error) {
	if err := arena.PopulateData(0, connBytes); err != nil {
		arena.Close()
		return nil, fmt.Errorf("state of the connection: %w", err)
	}
	return &connState{&offheap.View[connLayout](arena, 1)[0], arena}, nil
}

func (s *connState) close() { s.arena.Close() }

// nextHandle is a file handle that the connection has not had yet.
func (s *connState) nextHandle() uint64 { return s.handles.Add(1) }

// noteAside notes a request that runs beside the workers; nil if there is no
// room. Storing 0 ends it.
func (s *connState) noteAside(unique uint64) *atomic.Uint64 {
	for i := range s.aside {
		if place := &s.aside[i]; place.Load() == 0 && place.CompareAndSwap(0, unique) {
			return place
		}
	}
	return nil
}

// mountedOn is where the mount was made.
func (s *connState) mountedOn() string { return string(s.dir[:min(s.dirLen.Load(), maxDir)]) }

func (s *connState) setMounted(dir string, device uint64) {
	s.device.Store(device)
	s.dirLen.Store(uint64(copy(s.dir[:], dir)))
}
