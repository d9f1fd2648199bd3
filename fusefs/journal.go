package fusefs

import (
	"sync/atomic"
	"syscall"
)

// A write to a control file carries out a command, which must not be done twice
// only because the process that did it died before it could say so. So what is
// begun is noted, and how it ended is noted before it is answered. When the kernel
// sends it again to the process that takes over, what was done is answered from
// the note, and what was only begun is run again. Where the kernel does not, the
// former is answered unasked (adopt.go).

// Phases of a journal entry.
const (
	entryFree = iota
	entryTaken
	entryBegun
	entryDone
	entryLeft // done by a process before this one; nobody knows whether that answered
)

// journalEntry is a write to a control file, or the close of a stream. What it
// says is written before the phase.
type journalEntry struct {
	phase  atomic.Uint64
	unique atomic.Uint64 // of the request
	opcode atomic.Uint64
	size   atomic.Uint64 // bytes to answer with, where it is a write
	errno  atomic.Uint64 // once done; 0 = none
	setUp  atomic.Uint64 // the disk was not set up, and is about to be with that many bytes; 0 = it is not
	device atomic.Uint64 // id of the device that it is about, noDevice = none
	made   atomic.Uint64 // id of the device that it made or removes, once that counts; noDevice = none
}

// noDevice is no device's id.
const noDevice = ^uint64(0)

// begin notes that a request about a device, nil = none, is begun, or finds the note
// of a process before this one. nil: there is no room.
func (s *connState) begin(h inHeader, d *disk) *journalEntry {
	if e := s.begun(h.unique); e != nil {
		return e
	}
	e := s.take(entryFree)
	if e == nil {
		e = s.take(entryLeft) // what was to come again has come long since
	}
	if e == nil {
		return nil
	}
	e.unique.Store(h.unique)
	e.opcode.Store(uint64(h.opcode))
	for _, word := range []*atomic.Uint64{&e.size, &e.errno, &e.setUp} {
		word.Store(0)
	}
	e.made.Store(noDevice)
	e.device.Store(noDevice)
	if d != nil {
		e.device.Store(d.id)
	}
	e.phase.Store(entryBegun)
	return e
}

// take takes an entry in a phase, nil if there is none.
func (s *connState) take(phase uint64) *journalEntry {
	for i := range s.journal {
		if e := &s.journal[i]; e.phase.CompareAndSwap(phase, entryTaken) {
			return e
		}
	}
	return nil
}

// begun is the entry of a request that comes again, nil if it was not begun. It may
// be done already.
func (s *connState) begun(unique uint64) *journalEntry {
	if unique&resent == 0 {
		return nil
	}
	for i := range s.journal {
		e := &s.journal[i]
		if !sameRequest(e.unique.Load(), unique) {
			continue
		}
		if e.phase.Load() == entryBegun || e.phase.CompareAndSwap(entryLeft, entryDone) {
			e.unique.Store(unique)
			return e
		}
	}
	return nil
}

// done notes how it ended; n is what a write is answered with.
func (e *journalEntry) done(n int, errno syscall.Errno) {
	e.size.Store(uint64(n))
	e.errno.Store(uint64(errno))
	e.phase.Store(entryDone)
}

// answered ends an entry: the kernel has the answer.
func (e *journalEntry) answered() { e.phase.Store(entryFree) }

// verbs are the devices for which a command was under way, or may have been when a
// process before the last one died.
func (s *connState) verbs() (devices []uint64) {
	for i := range s.journal {
		e := &s.journal[i]
		if e.phase.Load() >= entryBegun && e.device.Load() != noDevice {
			devices = append(devices, e.device.Load())
		}
	}
	return devices
}

// recoverMade notes what came of requests that were about to make or to remove a
// device, now that nothing of such a kind is under way any more.
func (s *connState) recoverMade(ended func(*journalEntry) bool) {
	for i := range s.journal {
		e := &s.journal[i]
		if e.phase.Load() != entryBegun || e.made.Load() == noDevice {
			continue
		}
		if !ended(e) {
			e.made.Store(noDevice)
			continue
		}
		e.done(int(e.size.Load()), 0)
		e.phase.Store(entryLeft)
	}
}

// forgetBegun drops what was begun, where it does not come again.
func (s *connState) forgetBegun() {
	for i := range s.journal {
		if e := &s.journal[i]; e.phase.Load() == entryBegun {
			e.answered()
		}
	}
}

// recoverJournal sees to what a dead process left in the journal; done is called
// for what it finds done. A disk that has the size which it was about to get was
// set up by just that request, since nobody else could before it ended; so was a
// device made by a request, or removed, of which ended says so.
func (s *connState) recoverJournal(diskSize func(device uint64) uint64, ended func(*journalEntry) bool, done func(*journalEntry)) {
	for i := range s.journal {
		e := &s.journal[i]
		switch e.phase.Load() {
		case entryTaken:
			e.answered()
		case entryBegun:
			n := e.setUp.Load()
			if n != 0 && n == diskSize(e.device.Load()) || e.made.Load() != noDevice && ended(e) {
				e.done(int(e.size.Load()), 0)
				done(e)
				continue
			}
			e.setUp.Store(0)
		case entryDone:
			done(e)
		}
	}
}
