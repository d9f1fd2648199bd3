package fusefs

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"syscall"
	"unsafe"

	"uzram/internal/offheap"
)

// deviceArena is what a process that takes the connection over must know of the
// mount's devices beside what the engine keeps of each. It lies in an arena of its
// own: a head, and a record for each number that there can be, which has memory
// only while a device has that number. A record counts while its number's bit in
// the head is set: the bit is set before anything is done for the device, and taken
// away when nothing of it is left.
type deviceArena struct {
	*deviceHead
	records []deviceRecord // by number
	arena   *offheap.Arena
}

// deviceHead takes the place of a record. Never reorder.
type deviceHead struct {
	serials atomic.Uint64 // given out, ever
	used    [1 << numberBits / 64]atomic.Uint64
}

// deviceRecord is a device. Never reorder.
type deviceRecord struct {
	phase   atomic.Uint64
	serial  atomic.Uint64
	loopLen atomic.Uint64 // 0 = it has no loop device of its own
	loop    [maxLoop]byte // its name, /dev/loopN
	base    ioSum         // see ioStats
	_       [256 - 3*8 - maxLoop - unsafe.Sizeof(ioSum{})]byte
	busy    busyTime
	_       [recordWords - 256 - unsafe.Sizeof(busyTime{})]byte
	shares  [maxShares]ioShare
	_       [pageSize - recordWords]byte
}

// recordWords are before a record's shares, of which the first have room on the
// same page.
const recordWords = 1024

// Phases of a record.
const (
	deviceNone     = iota
	deviceMaking   // nobody was told of it
	deviceHooking  // it stands, and the hook is being told
	devicePresent  // it is there
	deviceRemoving // nobody uses it, and it is about to go
	deviceGoing    // nobody finds it any more
)

const (
	maxLoop = 64
	// maxShares is how many workers can have counts of their own.
	maxShares = 1024

	recordBytes = uint64(unsafe.Sizeof(deviceRecord{}))
	headBytes   = uint64(unsafe.Sizeof(deviceHead{}))
)

// newDeviceArena makes room for devices with numbers below n.
func newDeviceArena(n uint64) (*deviceArena, error) {
	arena, err := offheap.New(offheap.ConnDevices, (n+1)*recordBytes, recordBytes)
	if err != nil {
		return nil, fmt.Errorf("records of devices: %w", err)
	}
	a, err := deviceArenaIn(arena)
	if err != nil {
		arena.Close()
	}
	return a, err
}

// deviceArenaIn is what lies in an arena, which it owns unless it fails.
func deviceArenaIn(arena *offheap.Arena) (*deviceArena, error) {
	n := uint64(len(arena.Data())) / recordBytes
	if n < 2 || n > MaxDevices+1 {
		return nil, fmt.Errorf("records of %d devices: %w", n, syscall.EINVAL)
	}
	bitmap := (n + 62) / 64 * 8
	if err := arena.PopulateData(0, uint64(unsafe.Offsetof(deviceHead{}.used))+bitmap); err != nil {
		return nil, fmt.Errorf("records of devices: %w", err)
	}
	return &deviceArena{&offheap.View[deviceHead](arena, 1)[0], offheap.View[deviceRecord](arena, n)[1:], arena}, nil
}

func (a *deviceArena) close() { a.arena.Close() }

// back has memory for the record of a number, for a crew that had n at most so far.
// ENOMEM.
func (a *deviceArena) back(number, crew uint64) error {
	from := (number + 1) * recordBytes
	err := a.arena.PopulateData(from, from+recordWords+crew*uint64(unsafe.Sizeof(ioShare{})))
	if err != nil {
		return fmt.Errorf("record of device %d: %w", number, err)
	}
	return nil
}

// take takes a number into use, whose record is empty.
func (a *deviceArena) take(number, serial uint64) *deviceRecord {
	r := &a.records[number]
	r.serial.Store(serial)
	r.phase.Store(deviceMaking)
	a.used[number/64].Or(1 << (number % 64))
	return r
}

// give gives a number back, and its memory first: what has that number next begins
// with an empty record.
func (a *deviceArena) give(number uint64) {
	a.records[number].phase.Store(deviceNone)
	_ = a.arena.Punch(int(offheap.HeaderSize+(number+1)*recordBytes), int(recordBytes))
	a.used[number/64].And(^uint64(1 << (number % 64)))
}

// lowest is the lowest number that is not used; ENOSPC if there is none.
func (a *deviceArena) lowest() (uint64, error) {
	for i := range a.used {
		free := uint64(i)*64 + uint64(bits.TrailingZeros64(^a.used[i].Load()))
		if free >= uint64(len(a.records)) {
			break
		}
		if free < uint64(i+1)*64 {
			return free, nil
		}
	}
	return 0, fmt.Errorf("all %d numbers of devices are in use: %w", len(a.records), syscall.ENOSPC)
}

// next is the lowest number from that one on that is used; false if none is.
func (a *deviceArena) next(number uint64) (uint64, bool) {
	for number < uint64(len(a.records)) {
		if rest := a.used[number/64].Load() >> (number % 64); rest != 0 {
			number += uint64(bits.TrailingZeros64(rest))
			return number, number < uint64(len(a.records))
		}
		number = (number/64 + 1) * 64
	}
	return 0, false
}

// loopText is the name of the device's own loop device as text, "" if it has none.
func (r *deviceRecord) loopText() string { return string(r.loop[:min(r.loopLen.Load(), maxLoop)]) }

func (r *deviceRecord) setLoopText(name string) {
	r.loopLen.Store(0)
	r.loopLen.Store(uint64(copy(r.loop[:], name)))
}
