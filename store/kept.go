package store

import (
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"uzram/alloc"
	"uzram/internal/failpoint"
	"uzram/internal/lockdep"
	"uzram/internal/offheap"
)

// kept is what requests leave for a snapshot: the words that slots had at its
// moment and have no more. What such a word names is freed when the snapshot has
// written it, or cannot succeed any more.
//
// INVARIANT: a slot is done if and only if the walk has copied it, or its old
// word was noted, or it was empty when it was changed. That changes under the
// slot's lock.
type kept struct {
	done  []atomic.Uint64 // a bit for each slot
	back  []bool          // which pages of these bits have memory
	notes []note
	most  uint64 // bytes of objects that may be kept

	stopped  chan struct{} // closed when the snapshot cannot succeed any more
	dropping atomic.Int32  // requests that free what was kept

	mu     lockdep.Mutex[lockdep.LeafRank]
	top    uint64 // notes from here on are free
	out    uint64 // notes below are done with
	bytes  uint64 // of objects that the others keep
	closed bool   // nothing is noted any more
	cause  error  // of stopped

	doneArena, noteArena *offheap.Arena
}

// note is a slot as it was.
type note struct {
	slot uint64
	e    entry
	aux  uint32
	_    uint32
}

const (
	noteBytes    = uint64(unsafe.Sizeof(note{}))
	slotsPerDone = PageSize * 8

	// What a snapshot may keep: a share of the pool, and in any case so much.
	keptShare = 4
	keptLeast = 64 << 20
)

// open takes address space for a disk of that many slots. ENOMEM.
func (k *kept) open(slots uint64) (err error) {
	k.stopped = make(chan struct{})
	if k.doneArena, err = offheap.New(offheap.Scratch, wordsOf(slots)*8, 8); err != nil {
		return err
	}
	k.done = offheap.View[atomic.Uint64](k.doneArena, wordsOf(slots))
	k.back = make([]bool, (slots+slotsPerDone-1)/slotsPerDone)
	if k.noteArena, err = offheap.New(offheap.Scratch, slots*noteBytes, noteBytes); err != nil {
		return err
	}
	k.notes = offheap.View[note](k.noteArena, slots)
	return nil
}

func (k *kept) close() {
	for _, a := range []*offheap.Arena{k.doneArena, k.noteArena} {
		if a != nil {
			a.Close()
		}
	}
}

// backDone has memory for the bits of slots in touched pages of t, as far as they
// have none yet, and asks for neighbouring pages at once. ENOMEM.
func (k *kept) backDone(t *table) error {
	slots := uint64(len(k.notes))
	for i := uint64(0); i < slots; {
		first := k.lacking(t, i, slots)
		last := first
		for last < slots && k.lacking(t, last, min(last+slotsPerDone, slots)) == last {
			last += slotsPerDone
		}
		last = min(last, slots)
		if first < last {
			if err := k.doneArena.PopulateData(first/8, wordsOf(last)*8); err != nil {
				return err
			}
		}
		for ; first < last; first += slotsPerDone {
			k.back[first/slotsPerDone] = true
		}
		i = last
	}
	return nil
}

// lacking is the first slot of the first page of bits, from i on and before end,
// that should have memory and has none; end if there is none. i begins a page.
func (k *kept) lacking(t *table, i, end uint64) uint64 {
	for i < end {
		from, _ := t.touchedRange(i, end)
		if from == end {
			return end
		}
		if i = from &^ (slotsPerDone - 1); !k.back[i/slotsPerDone] {
			return i
		}
		i += slotsPerDone
	}
	return end
}

// bound says how much may be kept next to a pool of so many bytes.
func (k *kept) bound(least, pool uint64) { k.most = max(least, pool/keptShare) }

func (k *kept) isDone(i uint64) bool { return k.done[i/64].Load()&(1<<(i%64)) != 0 }

// finish makes slot i done, with its lock held, and reports whether it was not.
func (k *kept) finish(i uint64) bool {
	word, bit := &k.done[i/64], uint64(1)<<(i%64)
	return word.Load()&bit == 0 && word.Or(bit)&bit == 0
}

// keep is for whoever is about to change slot i, whose write lock he holds. true:
// what the slot holds is the snapshot's to free.
func (r *snapshotRun) keep(i uint64) bool {
	if !r.past.isTouched(i) || !r.finish(i) {
		return false
	}
	s := &r.table.slots[i]
	e := entry(s.word.Load())
	if e.kind() == kindEmpty {
		return false
	}
	noted := r.add(note{slot: i, e: e, aux: s.aux.Load()})
	failpoint.Hit(failpoint.SnapshotSaved)
	return noted
}

// add notes what a slot had. false: that is not possible, which is the end of the
// snapshot.
func (k *kept) add(n note) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	if n.memory() > k.most-k.bytes || k.top == uint64(len(k.notes)) || k.backNote() != nil {
		k.stopLocked(ErrTooMuchChanged)
		return false
	}
	k.notes[k.top] = n
	k.top++
	k.bytes += n.memory()
	return true
}

// backNote has memory for the next note. ENOMEM.
func (k *kept) backNote() error {
	from := k.top * noteBytes
	if from > 0 && (from-1)/PageSize == (from+noteBytes-1)/PageSize {
		return nil
	}
	return k.noteArena.PopulateData(from, from+noteBytes)
}

// next takes the oldest note, which keeps nothing from now on but for the caller.
func (k *kept) next() (n note, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.out == k.top {
		return note{}, false
	}
	n = k.notes[k.out]
	k.out++
	k.bytes -= n.memory()
	return n, true
}

// memory is what a note keeps from being freed, in bytes.
func (n *note) memory() uint64 {
	if n.e.kind() == kindObject {
		return uint64(n.e.size())
	}
	return 0
}

// stop ends the noting; with a cause, the snapshot fails.
func (k *kept) stop(cause error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopLocked(cause)
}

func (k *kept) stopLocked(cause error) {
	if k.closed {
		return
	}
	k.closed = true
	if cause != nil {
		k.cause = cause
		close(k.stopped)
	}
}

// failure is why the snapshot cannot succeed, nil if it still may.
func (k *kept) failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.cause
}

// drop frees what is kept and reports whether that was anything.
func (k *kept) drop(l *live) (any bool) {
	for {
		n, ok := k.next()
		if !ok {
			return any
		}
		l.release(alloc.NoWorker, n.e)
		any = true
	}
}

// keep is for whoever is about to change slot i, whose write lock he holds. true:
// what the slot holds is a snapshot's to free.
func (l *live) keep(i uint64) bool {
	r := l.snapshot.Load()
	return r != nil && r.keep(i)
}

// yieldKept ends a snapshot if the error says that there was no memory to store a
// page. true: there was one, and what it kept is free.
func (l *live) yieldKept(err error) bool {
	r := l.snapshot.Load()
	if r == nil || !errors.Is(err, ErrNoMemory) && !errors.Is(err, ErrMemLimit) {
		return false
	}
	r.stop(ErrTooMuchChanged)
	r.dropping.Add(1)
	r.drop(l)
	r.dropping.Add(-1)
	for r.dropping.Load() > 0 { // what others free is free for us too
		time.Sleep(50 * time.Microsecond)
	}
	return true
}

func putElement(b *[cellBytes]byte, element uint64) []byte {
	binary.LittleEndian.PutUint64(b[:], element)
	return b[:]
}
