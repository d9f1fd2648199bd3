package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"syscall"
	"unsafe"

	"uzram/compress"
	"uzram/internal/failpoint"
	"uzram/internal/offheap"
)

// record is the form in which the settings outlive a process. Fields that a
// reader does not know are left out, those that it misses are zero.
type record struct {
	Algorithms []algorithmRecord // by priority
	MemLimit   uint64            // pages; 0 = none
	Compressed bool
	Pack       bool
	Checksum   bool
	Encrypt    bool
	Wipe       bool
	Backing    string  // path; "" = none
	Blocks     uint64  // of PageSize bytes that it had when it was taken
	Backings   uint64  // how many there were, of which it is the last
	Generation uint64  // how often the device was set up
	Disksize   uint64  // bytes; 0 = not set up
	Before     *record `json:",omitempty"` // what counts in its place, but for the two numbers
}

type algorithmRecord struct {
	Name   string
	Params compress.Params
}

func (s *settings) record() record {
	r := record{
		MemLimit: s.memLimit, Compressed: s.compressed, Pack: s.pack, Checksum: s.checksum, Encrypt: s.encrypt, Wipe: s.wipe,
		Backing: s.backing, Blocks: s.blocks, Backings: s.backings, Generation: s.generation, Disksize: s.disksize,
	}
	for i, name := range s.algorithm {
		r.Algorithms = append(r.Algorithms, algorithmRecord{name, s.params[i]})
	}
	if s.before != nil {
		before := s.before.record()
		r.Before = &before
	}
	return r
}

func (r *record) settings() (s settings, err error) {
	if len(r.Algorithms) != priorities {
		return s, fmt.Errorf("settings for %d algorithms, want %d: %w", len(r.Algorithms), priorities, syscall.EINVAL)
	}
	if r.Backing != "" && r.Blocks-1 >= math.MaxInt64/PageSize {
		return s, fmt.Errorf("a backing device of %d blocks: %w", r.Blocks, syscall.EINVAL)
	}
	s = settings{
		memLimit: r.MemLimit, compressed: r.Compressed, pack: r.Pack, checksum: r.Checksum, encrypt: r.Encrypt, wipe: r.Wipe,
		backing: r.Backing, blocks: r.Blocks, backings: r.Backings, generation: r.Generation, disksize: r.Disksize,
	}
	for i, a := range r.Algorithms {
		s.algorithm[i], s.params[i] = a.Name, a.Params
	}
	if r.Before != nil {
		generation, backings := s.generation, s.backings
		if s, err = r.Before.settings(); s.backing == "" {
			s.backings = backings
		}
		s.generation = generation
	}
	return s, err
}

// A half begins with the length of its text, 4 bytes, and the checksum of the
// text and the number of the record.
const halfHeader = 8

// roomBytes are there in both halves beyond what the record takes, so that what
// hardly makes it longer needs no memory. A reset makes it shorter.
const roomBytes = 2 * PageSize

// save makes s the record that counts, at one moment: the change of a word. The
// other half, which counted before, is zeroed. On an error nothing has changed:
// ENOMEM, or E2BIG for a path or dictionaries that nobody could have set.
func (st *state) save(s *settings) error {
	if st.arena == nil {
		return nil
	}
	text, err := json.Marshal(s.record())
	if err != nil {
		return err
	}
	defer clear(text)
	n := halfHeader + len(text)
	if n > halfBytes {
		return fmt.Errorf("settings of %d bytes, want at most %d: %w", n, halfBytes, syscall.E2BIG)
	}
	if err := st.back(n); err != nil {
		return err
	}
	number := st.stateWords.record.Load() + 1
	half := st.halves[number%2]
	copy(half[halfHeader:], text)
	binary.LittleEndian.PutUint32(half, uint32(len(text)))
	binary.LittleEndian.PutUint32(half[4:], recordSum(number, text))
	failpoint.Hit(failpoint.SettingHalf)
	st.stateWords.record.Store(number)
	failpoint.Hit(failpoint.SettingRecorded)
	clear(half[n:st.room])
	clear(st.halves[1-number%2][:st.room])
	st.trim(n)
	return nil
}

// back has memory for a record of n bytes in both halves, and if it can be had
// for some more. ENOMEM.
func (st *state) back(n int) error {
	if n+roomBytes/2 <= st.room {
		return nil
	}
	err := st.extend(n + roomBytes)
	if err != nil && n > st.room {
		err = st.extend(n)
	}
	if n > st.room {
		return fmt.Errorf("settings: %w", err)
	}
	return nil
}

// extend has memory for n bytes of each half.
func (st *state) extend(n int) error {
	room := wholePages(n)
	for i := range st.halves {
		from := halfFrom(i)
		if err := st.arena.PopulateData(from, from+uint64(room)); err != nil {
			return err
		}
	}
	st.room = room
	return nil
}

// trim gives back what a longer record took.
func (st *state) trim(n int) {
	room := wholePages(n + roomBytes)
	if st.room <= room {
		return
	}
	for i := range st.halves {
		from := int(offheap.HeaderSize+halfFrom(i)) + room
		_ = st.arena.Punch(from, st.room-room)
	}
	st.room = room
}

// wholePages is n rounded up, but no more than a half.
func wholePages(n int) int { return min(halfBytes, (n+PageSize-1)&^(PageSize-1)) }

// halfFrom is where in the arena's data a half begins.
func halfFrom(half int) uint64 {
	return uint64(unsafe.Offsetof(stateLayout{}.halves)) + uint64(half)*halfBytes
}

func recordSum(number uint64, text []byte) uint32 {
	head := binary.LittleEndian.AppendUint64(nil, number)
	return crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, text)
}

// load reads the record that counts. EINVAL: it is damaged.
func (st *state) load() (s settings, err error) {
	number := st.stateWords.record.Load()
	half := st.halves[number%2]
	n := binary.LittleEndian.Uint32(half)
	if number == 0 || n > halfBytes-halfHeader {
		return s, fmt.Errorf("record %d of %d bytes: %w", number, n, syscall.EINVAL)
	}
	text := half[halfHeader:][:n]
	if recordSum(number, text) != binary.LittleEndian.Uint32(half[4:]) {
		return s, fmt.Errorf("record %d is damaged: %w", number, syscall.EINVAL)
	}
	st.room = max(st.room, wholePages(halfHeader+int(n)))
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return s, fmt.Errorf("record %d: %w (%v)", number, syscall.EINVAL, err)
	}
	return r.settings()
}
