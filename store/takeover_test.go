package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"uzram/compress"
	"uzram/internal/offheap"
)

// fillDisk writes a page of each kind, over and over, to a device and returns what it
// has then.
func fillDisk(t testing.TB, d *Device, s *Scratch, rng *rand.Rand) []byte {
	t.Helper()
	disk := make([]byte, d.Size())
	for i := range len(disk) / PageSize {
		fillPage(rng, i%pageKinds, disk[i*PageSize:][:PageSize])
	}
	mustWrite(t, d, s, disk, 0)
	return disk
}

func wantDisk(t testing.TB, d *Device, s *Scratch, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if mustRead(t, d, s, got, 0); !bytes.Equal(got, want) {
		t.Error("the disk differs")
	}
}

func TestTakeOverKeepsSettings(t *testing.T) {
	dict := bytes.Repeat([]byte("a dictionary "), 4000)
	path := filepath.Join(t.TempDir(), "dict")
	if err := os.WriteFile(path, dict, 0o600); err != nil {
		t.Fatal(err)
	}
	d, w, v := newHeldDevice(t, 2)
	b := newMemBacking(64)
	d.openFile = func(string) (Backing, error) { return b, nil }
	for _, priority := range []int{1, 3} {
		if err := d.SetRecompAlgorithm(priority, "lz4"); err != nil {
			t.Fatal(err)
		}
	}
	d.SetMemoryLocked(true)
	if err := errors.Join(
		d.SetAlgorithm("zstd"),
		d.SetParams(ParamsRequest{Params: compress.Params{Level: 7, HasLevel: true}}),
		d.SetParams(ParamsRequest{Priority: 3, HasPriority: true, DictPath: path}),
		d.SetMemLimit(5*PageSize-1),
		d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetWritebackChecksum(true), d.SetWritebackEncryption(true),
		d.SetWritebackBatch(7), d.SetWipe(true), d.SetBackingDev("/memory"),
	); err != nil {
		t.Fatal(err)
	}
	d.SetWritebackLimit(99)
	d.SetWritebackLimited(true)
	for range 2 { // the second time of a device that was taken over itself
		for _, setUp := range []bool{false, true} {
			if setUp {
				if err := d.SetDisksize(10 * PageSize); err != nil {
					t.Fatal(err)
				}
			}
			next := takenOver(t, d, w, v)
			if next.Initialised() != setUp || next.Size() != d.Size() {
				t.Errorf("set up: %v, %d bytes", next.Initialised(), next.Size())
			}
			got, want := next.settings, d.settings
			for i := range priorities {
				if !bytes.Equal(got.params[i].Dict, want.params[i].Dict) {
					t.Errorf("dictionary %d differs", i)
				}
				got.params[i].Dict, want.params[i].Dict = nil, nil
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("settings %+v, want %+v", got, want)
			}
			if next.Stats().MemLimit != 5*PageSize || next.WritebackLimit() != 99 || !next.WritebackLimited() || next.WritebackBatch() != 7 ||
				!next.WritebackEncryption() || !next.WritebackPack() || !next.WritebackChecksum() || !next.CompressedWriteback() || next.BackingDev() != "/memory" {
				t.Error("a setting is not what it was")
			}
		}
		if err := d.Reset(0); err != nil {
			t.Fatal(err)
		}
		next := takenOver(t, d, w, v)
		if next.Initialised() || next.BackingDev() != "" || next.Algorithm() != compress.DefaultName || next.WritebackLimit() != 99 || !next.Wipe() {
			t.Errorf("after a reset: %+v", next.settings)
		}
		d.openFile = func(string) (Backing, error) { return b, nil }
		if err := errors.Join(d.SetAlgorithm("zstd"), d.SetParams(ParamsRequest{Params: compress.Params{Level: 7, HasLevel: true}}), d.SetMemLimit(5*PageSize),
			d.SetBackingDev("/memory")); err != nil {
			t.Fatal(err)
		}
	}
}

// Of a long record nothing stays behind a short one, and a short one needs no
// memory.
func TestRecordShrinks(t *testing.T) {
	d, _, _ := newHeldDevice(t, 1)
	small := d.state.arena.Resident()
	s := d.settings
	s.params[0].Dict = bytes.Repeat([]byte{'x'}, maxDict)
	if err := d.state.save(&s); err != nil {
		t.Fatal(err)
	}
	if now := d.state.arena.Resident(); now < small+2*maxDict {
		t.Errorf("%d bytes with a dictionary, %d without", now, small)
	}
	if err := d.state.save(&d.settings); err != nil {
		t.Fatal(err)
	}
	if now := d.state.arena.Resident(); now > small+2*PageSize {
		t.Errorf("%d bytes after it, %d before", now, small)
	}
	if got, err := d.state.load(); err != nil || len(got.params[0].Dict) > 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if at := bytes.Index(d.state.arena.Data(), []byte("eHh4eHh4")); at >= 0 {
		t.Errorf("the dictionary is still at %d", at)
	}
	s.backing = strings.Repeat("x", halfBytes)
	wantErrno(t, "a path beyond a half", d.state.save(&s), syscall.E2BIG)
	if _, err := d.state.load(); err != nil {
		t.Error(err)
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	small, err := offheap.New(offheap.DeviceState, PageSize, PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	_, err = stateIn(small, 1)
	wantErrno(t, "a small arena", err, syscall.EINVAL)
	d, w, v := newHeldDevice(t, 1)
	setUp(t, d, "lz4", 4)
	for what, spoil := range map[string]func(st *state){
		"no record":   func(st *state) { st.stateWords.record.Store(0) },
		"other half":  func(st *state) { st.stateWords.record.Add(1) },
		"one bit":     func(st *state) { st.halves[st.stateWords.record.Load()%2][20] ^= 4 },
		"length":      func(st *state) { st.halves[st.stateWords.record.Load()%2][3] = 0xff },
		"no JSON":     func(st *state) { writeRecord(st, "{") },
		"algorithms":  func(st *state) { writeRecord(st, `{"Algorithms": [], "Disksize": 4096}`) },
		"half a page": func(st *state) { resize(st, PageSize/2) },
		"large disk":  func(st *state) { resize(st, PageSize<<20) },
		"crew":        func(st *state) { st.places.Store(maxPlaces + 1) },
		"no elements": nil,
	} {
		c, err := leave(v, d)
		if err != nil {
			t.Fatal(err)
		}
		if spoil != nil {
			st, err := stateIn(c.arenas[stateName], 1)
			if err != nil {
				t.Fatal(err)
			}
			spoil(st)
		} else {
			c.arenas["1.elements"].Close()
			delete(c.arenas, "1.elements")
		}
		next, nv, err := c.successor(w)
		wantErrno(t, what, err, syscall.EINVAL)
		if next != nil || slices.Contains(nv.names(), "1.slots") != true {
			t.Errorf("%s: %v, the vault has %q", what, next, nv.names())
		}
		for name := range c.arenas {
			nv.Drop(testPrefix + name)
		}
	}
}

// writeRecord writes a record of any text.
func writeRecord(st *state, text string) {
	number := st.stateWords.record.Add(1)
	half := st.halves[number%2]
	copy(half[halfHeader:], text)
	binary.LittleEndian.PutUint32(half, uint32(len(text)))
	binary.LittleEndian.PutUint32(half[4:], recordSum(number, []byte(text)))
}

func resize(st *state, bytes uint64) {
	s, err := st.load()
	s.disksize = bytes
	if err := errors.Join(err, st.save(&s)); err != nil {
		panic(err)
	}
}

// Words that name what is not there are lost pages, each an error until it is
// written or discarded, and the rest is as it was.
func TestWordsThatNameNothing(t *testing.T) {
	d, w, v := newHeldDevice(t, 1)
	b := newMemBacking(64)
	d.openFile = func(string) (Backing, error) { return b, nil }
	if err := d.SetBackingDev("/memory"); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", 8*pageKinds)
	s, rng := w.Scratch(0), newRand(t)
	disk := fillDisk(t, d, s, rng)
	mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{4 * pageKinds, 8*pageKinds - 1}}})
	c, err := leave(v, d)
	if err != nil {
		t.Fatal(err)
	}
	slots := offheap.View[slot](c.arenas["1.slots"], uint64(len(disk)/PageSize))
	object, raw, block := entry(slots[textPage].word.Load()), entry(slots[randomPage].word.Load()), entry(slots[4*pageKinds+textPage].word.Load())
	wrong := map[uint64]entry{
		pageKinds + textPage:      object,                                     // somebody else's
		1:                         object.moved(object.handle() + 1),          // no object begins there
		2:                         object.moved(handleMask),                   // no such place
		pageKinds + 0:             objectEntry(object.handle(), 0),            // no size
		pageKinds + 1:             objectEntry(object.handle(), PageSize+1),   // no size
		pageKinds + 2:             objectEntry(object.handle(), 2*PageSize/3), // another class
		2*pageKinds + 0:           block,                                      // somebody else's
		2*pageKinds + 1:           blockEntry(raw, 64*PageSize, PageSize),     // past the end
		2*pageKinds + 2:           blockEntry(raw, 63*PageSize, 0),
		3*pageKinds + 0:           sameForm(formElsewhere, 1<<40),
		7*pageKinds + 0:           entry(slots[4*pageKinds+oddElementPage].word.Load()),
		3*pageKinds + textPage:    objectEntry(raw.handle(), PageSize),
		4*pageKinds + randomPage:  blockEntry(raw, 60*PageSize+8, PageSize),
		5*pageKinds + inlinePage:  packedEntry(object.handle()+100, 100, 2),
		6*pageKinds + halfPage:    lostEntry,
		7*pageKinds + pageKinds/2: objectEntry(1, PageSize),
	}
	for i, e := range wrong {
		slots[i].word.Store(uint64(e))
	}
	d, v, err = c.successor(w)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := retire(d, v); err != nil {
			t.Error(err)
		}
	}()
	check(t, d)
	lost := map[uint64]bool{}
	page := make([]byte, PageSize)
	for i := range uint64(len(disk) / PageSize) {
		_, err := d.ReadAt(s, page, int64(i)*PageSize)
		if errors.Is(err, ErrLost) {
			lost[i] = true
		} else if err != nil || !bytes.Equal(page, disk[i*PageSize:][:PageSize]) && wrong[i] == 0 {
			t.Errorf("page %d: %v", i, err)
		}
	}
	// Of two pages that name the same, the second is lost.
	a := d.Adoption()
	if a.Slots != uint64(len(disk)/PageSize) || a.Lost != uint64(len(wrong)) || len(lost) != len(wrong) || len(a.Findings) != len(wrong)-1 {
		t.Errorf("%+v, lost are %v", a, lost)
	}
	for i := range lost {
		if _, err := d.WriteAt(s, page[:7], int64(i)*PageSize+9); !errors.Is(err, ErrLost) {
			t.Errorf("part of page %d written: %v", i, err)
		}
		if i%2 == 0 {
			mustWrite(t, d, s, page, int64(i)*PageSize)
		} else if err := d.Discard(s, int64(i)*PageSize, PageSize); err != nil {
			t.Error(err)
		}
		mustRead(t, d, s, page, int64(i)*PageSize)
	}
	check(t, d)
}
