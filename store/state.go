package store

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"unsafe"

	"uzram/internal/offheap"
)

// state is what must outlive the process that serves a device, beside its slots,
// elements, objects and seals. It lies in an arena of its own, whose layout is
// part of the format:
//
//	page 0        words
//	page 1        counters: a place for each worker, and one for verbs
//	from page 33  two halves for the record, of which one counts (record.go)
//
// Without a vault it is Go memory, and there is no record.
type state struct {
	*stateWords
	counters []counters // those of any crew that ever served
	halves   [2][]byte
	room     int            // bytes of each half that have memory
	arena    *offheap.Arena // nil = Go memory
}

// stateWords change one by one, each by an atomic store. Never reorder. The page
// that they begin is aligned, so every 64 bytes are a cache line.
type stateWords struct {
	record atomic.Uint64 // how many were written; the last of them counts
	places atomic.Uint64 // of counters in use
	writebackWords
	_ [8]byte

	setUpFigures // read by every write: on a line of its own
	_            [48]byte

	backingCounts
	sealed atomic.Uint64 // blocks encrypted, ever: their nonces
	_      [32]byte

	key [keySize]byte // of the backing device's encryption
}

var _ [3 * 64]byte = [unsafe.Offsetof(stateWords{}.key)]byte{}

// writebackWords are the writeback settings that may change at any time.
type writebackWords struct {
	limited atomic.Uint64 // 1 = left is a limit
	left    atomic.Uint64 // blocks
	lent    atomic.Uint64 // blocks that a run has reserved of it for its present pages
	lentAt  atomic.Uint64 // blocks written, ever, when it did
	batch   atomic.Uint64 // blocks in flight, at least 1
}

// setUpFigures are a set-up's, beside its counters.
type setUpFigures struct {
	maxPages  atomic.Uint64 // highest use seen at a store
	compacted atomic.Uint64 // pages
}

// backingCounts are a set-up's counts of its backing device.
type backingCounts struct {
	reads  atomic.Uint64 // blocks read, ever
	writes atomic.Uint64 // blocks written, ever
	bad    atomic.Uint64 // blocks that were not what was written, ever
}

const (
	maxPlaces = 1024      // of counters
	halfBytes = 512 << 10 // four dictionaries of 64 KiB in base64, and a path
)

// stateLayout is a state's arena.
type stateLayout struct {
	words    stateWords
	_        [PageSize - unsafe.Sizeof(stateWords{})]byte
	counters [maxPlaces]counters
	halves   [2][halfBytes]byte
}

const stateBytes = uint64(unsafe.Sizeof(stateLayout{}))

// newState is a state that ends with this process, for a crew of n.
func newState(n int) *state {
	return &state{stateWords: new(stateWords), counters: make([]counters, n+1)}
}

// stateIn is the state that lies in an arena, fresh or somebody's before us, for
// a crew of n from now on. The arena stays the caller's if it fails. ENOMEM;
// EINVAL: the crew is too large, or the arena too small.
func stateIn(arena *offheap.Arena, n int) (*state, error) {
	if has := uint64(len(arena.Data())); has < stateBytes {
		return nil, fmt.Errorf("a state of %d bytes, want %d: %w", has, stateBytes, syscall.EINVAL)
	}
	l := &offheap.View[stateLayout](arena, 1)[0]
	st := &state{stateWords: &l.words, halves: [2][]byte{l.halves[0][:], l.halves[1][:]}, arena: arena}
	places := max(st.places.Load(), uint64(n)+1)
	if places > maxPlaces {
		return nil, fmt.Errorf("a crew of %d: a device that can be taken over has at most %d: %w", places-1, maxPlaces-1, syscall.EINVAL)
	}
	st.counters = l.counters[:places]
	if err := arena.PopulateData(0, uint64(unsafe.Offsetof(l.counters)+uintptr(places)*unsafe.Sizeof(counters{}))); err != nil {
		return nil, err
	}
	st.places.Store(places)
	return st, st.back(0)
}

// clear makes all figures those of a device that was set up just now.
func (st *state) clear() {
	for i := range st.counters {
		var t tally
		for _, p := range st.counters[i].pairs(&t) {
			p.count.Store(0)
		}
	}
	for _, word := range []*atomic.Uint64{&st.maxPages, &st.compacted, &st.reads, &st.writes, &st.bad} {
		word.Store(0)
	}
}

// recount makes the gauges, which follow from the slots, what they are by t. The
// counts of what happened stay.
func (st *state) recount(t *tally) {
	for i := range st.counters {
		c := &st.counters[i]
		for _, gauge := range []*atomic.Int64{&c.orig, &c.same, &c.huge, &c.compr} {
			gauge.Store(0)
		}
	}
	st.counters[0].add(t)
}

// memory is what the arena takes, in bytes.
func (st *state) memory() uint64 {
	if st.arena == nil {
		return 0
	}
	return st.arena.Resident()
}
