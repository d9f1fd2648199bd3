package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"uzram/compress"
	"uzram/internal/snapshot"
)

func noAbort(error) {}

func mustSnapshot(t testing.TB, d *Device) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := d.Snapshot("test", &b, func(err error) { t.Error(err) }); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// restored is a fresh device with what a snapshot says; its backing device, if it
// has one, is in memory.
func restored(t testing.TB, file []byte, blocks int) (*Device, *Workers) {
	t.Helper()
	d, w := newDeviceOn(t, 2, 0, "lz4", wrappedCodecs()...)
	d.SetMemoryLocked(true)
	d.openFile = func(string) (Backing, error) { return newMemBacking(blocks), nil }
	if err := d.Restore(bytes.NewReader(file), func() {}); err != nil {
		t.Fatal(err)
	}
	check(t, d)
	return d, w
}

// slow is a reader of a snapshot that lets others run.
type slow struct {
	bytes.Buffer
	each func()
}

func (s *slow) Write(p []byte) (int, error) {
	s.each()
	return s.Buffer.Write(p)
}

// backings are the ways of writing back.
var backings = map[string]func(d *Device) error{
	"none":  nil,
	"pages": func(d *Device) error { return nil },
	"compressed and checked": func(d *Device) error {
		return errors.Join(d.SetCompressedWriteback(true), d.SetWritebackChecksum(true))
	},
	"packed and encrypted": func(d *Device) error {
		d.SetMemoryLocked(true)
		return errors.Join(d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetWritebackEncryption(true))
	},
}

// newSnapshotDevice is a device with a secondary algorithm, and a backing device
// if set is not nil.
func newSnapshotDevice(t testing.TB, workers, pages int, set func(*Device) error) (*Device, *Workers) {
	t.Helper()
	d, w := newDeviceOn(t, workers, 0, "lz4", wrappedCodecs()...)
	err := d.SetRecompAlgorithm(1, "zstd")
	if set != nil {
		d.openFile = func(string) (Backing, error) { return newMemBacking(2 * pages), nil }
		err = errors.Join(err, d.SetBackingDev("/memory"), set(d))
	}
	if err != nil {
		t.Fatal(err)
	}
	setUp(t, d, chosen(t, "lz4"), pages)
	return d, w
}

// TestSnapshotIsOneMoment: writers change pages all the time, which are also
// compacted, compressed again and written back, and each snapshot is the disk as
// it was at one moment.
func TestSnapshotIsOneMoment(t *testing.T) {
	for name, set := range backings {
		t.Run(name, func(t *testing.T) { snapshotsBesideWriters(t, set) })
	}
}

func snapshotsBesideWriters(t *testing.T, set func(*Device) error) {
	const writers, pages, snapshots = 3, 1200, 4
	rng := newRand(t)
	d, w := newSnapshotDevice(t, writers+1, pages, set)
	var clock atomic.Uint64
	scribes := make([]*scribe, writers)
	for k := range scribes {
		scribes[k] = &scribe{dev: d, scratch: w.Scratch(k), clock: &clock, rng: rand.New(rand.NewPCG(rng.Uint64(), 1)), now: map[uint64]uint64{}}
		for i := k * pages / writers; i < (k+1)*pages/writers; i++ {
			scribes[k].pages = append(scribes[k].pages, uint64(i))
		}
		for range pages {
			scribes[k].step(t)
		}
		scribes[k].still = len(scribes[k].pages) / 4
	}
	mustRecompress(t, d, RecompressRequest{})
	if set != nil {
		mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{pages - 100, pages - 1}}})
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for _, s := range scribes {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					s.step(t)
				}
			}
		})
	}
	movers := rand.New(rand.NewPCG(rng.Uint64(), 1))
	wg.Go(func() { movePages(t, d, set != nil, done, movers) })
	files := make([]*slow, snapshots)
	for n := range files {
		files[n] = &slow{each: func() {
			for end := time.Now().Add(time.Duration(rng.IntN(2000)) * time.Microsecond); time.Now().Before(end); {
				runtime.Gosched()
			}
		}}
		if err := d.Snapshot("test", files[n], func(err error) { t.Error(err) }); err != nil {
			t.Error(err)
		}
	}
	close(done)
	wg.Wait()
	var seen struct{ kept, back, packed uint64 }
	for _, f := range files {
		again, ws := restored(t, f.Bytes(), 2*pages)
		wantMoment(t, again, ws.Scratch(0), scribes)
		st := again.Stats()
		seen.back += st.BackingUsed
		again.Slots(0, func(s SlotState) bool {
			if s.Recompressed {
				seen.packed++
			}
			return true
		})
	}
	if (seen.back > 0) != (set != nil) || seen.packed == 0 {
		t.Errorf("%d blocks on the backing device, %d pages recompressed: not all kinds of pages took part", seen.back, seen.packed)
	}
}

// movePages moves pages about without changing them.
func movePages(t testing.TB, d *Device, backed bool, done chan struct{}, rng *rand.Rand) {
	for {
		select {
		case <-done:
			return
		default:
		}
		err := d.Compact()
		if rng.IntN(2) == 0 {
			_, rerr := d.Recompress(RecompressRequest{MaxPages: 100, HasMaxPages: true})
			err = errors.Join(err, rerr)
		}
		if backed {
			first := rng.Uint64N(1000)
			_, werr := d.Writeback(WritebackRequest{Pages: []PageRange{{first, first + rng.Uint64N(100)}}})
			err = errors.Join(err, werr)
		}
		if err != nil {
			t.Error(err)
			return
		}
		runtime.Gosched()
	}
}

// TestSnapshotSettingsAndFigures: what a device is set to, and what it counted,
// is what the restored one says.
func TestSnapshotSettingsAndFigures(t *testing.T) {
	d, w := newDeviceOn(t, 2, 0, "lz4", wrappedCodecs()...)
	d.SetMemoryLocked(true)
	d.openFile = func(string) (Backing, error) { return newMemBacking(64), nil }
	dict := bytes.Repeat([]byte("a dictionary of words "), 50)
	for _, err := range []error{
		d.SetAlgorithm("deflate"), d.replaceParams(ParamsRequest{}, deflateParams()),
		d.SetRecompAlgorithm(2, "zstd"), d.replaceParams(ParamsRequest{Priority: 2, HasPriority: true}, zstdParams(dict)),
		d.SetBackingDev("/memory"), d.SetWritebackBatch(5), d.SetWritebackEncryption(true), d.SetMemLimit(1 << 20), d.SetWipe(true),
		d.SetDisksize(64 * PageSize),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	d.SetWritebackLimit(40)
	d.SetWritebackLimited(true)
	s, rng := w.Scratch(0), newRand(t)
	for i := range 40 {
		mustWrite(t, d, s, pageOf(rng, i%pageKinds), int64(i)*PageSize)
	}
	mustRecompress(t, d, RecompressRequest{MaxPages: 4, HasMaxPages: true, Priority: 2, HasPriority: true})
	mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{0, 9}}})
	if err := errors.Join(d.Discard(s, 0, 2*PageSize), d.MarkIdle()); err != nil {
		t.Fatal(err)
	}
	if _, err := d.WriteAt(s, []byte{1}, 1<<40); err == nil {
		t.Error("a write past the end succeeds")
	}
	before := d.Stats() // the snapshot itself reads blocks
	again, _ := restored(t, mustSnapshot(t, d), 64)
	after := again.Stats()
	for _, st := range []*Stats{&before, &after} { // depend on the process, not on the disk
		st.Table, st.PoolMeta, st.BackingMeta, st.Streams, st.Reserve = 0, 0, 0, 0, 0
		st.MemUsedMax, st.MemUsedTotal = max(st.MemUsedMax, st.MemUsedTotal), 0
	}
	if after.MemUsedMax < before.MemUsedMax {
		t.Errorf("highest use is %d, was %d", after.MemUsedMax, before.MemUsedMax)
	}
	before.MemUsedMax, after.MemUsedMax = 0, 0
	if before != after {
		t.Errorf("figures\n%+v, were\n%+v", after, before)
	}
	if a, b := settingsText(t, again), settingsText(t, d); a != b {
		t.Errorf("settings\n%s, were\n%s", a, b)
	}
	if a, b := states(t, again), states(t, d); !slices.Equal(a, b) {
		t.Errorf("pages\n%v, were\n%v", a, b)
	}
}

func settingsText(t testing.TB, d *Device) string {
	t.Helper()
	text, err := json.Marshal(d.snapshotHead(""))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// states are those of all pages, without times.
func states(t testing.TB, d *Device) (all []SlotState) {
	t.Helper()
	if err := d.Slots(0, func(s SlotState) bool {
		s.Seconds = 0
		all = append(all, s)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSnapshotBeforeSetUp(t *testing.T) {
	d, _ := newDevice(t, 1, 0)
	wantErrno(t, "a snapshot before set-up", d.Snapshot("", io.Discard, noAbort), syscall.EINVAL)
}

// TestSnapshotWritesDoNotAllocate: what a request leaves for a snapshot has its
// place already.
func TestSnapshotWritesDoNotAllocate(t *testing.T) {
	const pages = 512
	d, w := newDevice(t, 1, pages)
	s, rng := w.Scratch(0), newRand(t)
	page := pageOf(rng, textPage)
	for i := range pages {
		mustWrite(t, d, s, page, int64(i)*PageSize)
	}
	measured := false
	out := writerFunc(func(p []byte) (int, error) {
		if !measured {
			measured = true
			i := 0
			if n := testing.AllocsPerRun(pages-2, func() {
				page[0]++
				mustWrite(t, d, s, page, int64(i)*PageSize)
				i++
			}); n != 0 {
				t.Errorf("%v allocations for each write", n)
			}
		}
		return len(p), nil
	})
	if err := d.Snapshot("test", out, noAbort); err != nil {
		t.Fatal(err)
	}
}

// TestSnapshotOfBadBlocks: a page that cannot be read is no page of a snapshot.
func TestSnapshotOfBadBlocks(t *testing.T) {
	d, w, b := newBackedDevice(t, 1, 64, 64, false)
	mustWrite(t, d, w.Scratch(0), pageOf(newRand(t), textPage), 5*PageSize)
	mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{5, 5}}})
	b.fail = func(bool, uint64, uint64) error { return syscall.EIO }
	err := d.Snapshot("", io.Discard, noAbort)
	if !errors.Is(err, ErrBacking) {
		t.Errorf("%v, want %v", err, ErrBacking)
	}
	b.fail = nil
	again, ws := restored(t, mustSnapshot(t, d), 64)
	page, want := make([]byte, PageSize), make([]byte, PageSize)
	mustRead(t, again, ws.Scratch(0), page, 5*PageSize)
	mustRead(t, d, w.Scratch(0), want, 5*PageSize)
	if !bytes.Equal(page, want) || again.Stats().BackingUsed != 1 {
		t.Errorf("page 5 differs, or is not on the backing device: %d blocks", again.Stats().BackingUsed)
	}
	if _, err := snapshot.Verify(bytes.NewReader(mustSnapshot(t, d)), nil); err != nil {
		t.Error(err)
	}
}

func deflateParams() (p compress.Params) {
	p.WinBits, p.HasWinBits = 12, true
	p.Level, p.HasLevel = 4, true
	return p
}

func zstdParams(dict []byte) (p compress.Params) {
	p.Level, p.HasLevel, p.Dict = 5, true, dict
	return p
}

// TestSnapshotOfARestlessDevice: without a moment in which no request is under way
// there is no snapshot.
func TestSnapshotOfARestlessDevice(t *testing.T) {
	d, w := newDevice(t, 1, 8)
	s := w.Scratch(0)
	l := s.enter(d)
	err := d.Snapshot("", io.Discard, noAbort)
	s.leave(l)
	wantErrno(t, "a request that does not end", err, syscall.EBUSY)
	mustSnapshot(t, d)
}

// TestSnapshotOfWrongWords: words that name nothing end a snapshot, not the
// process.
func TestSnapshotOfWrongWords(t *testing.T) {
	plain, w := newDevice(t, 1, 8)
	backed, bw, _ := newBackedDevice(t, 1, 8, 8, true)
	for d, s := range map[*Device]*Scratch{plain: w.Scratch(0), backed: bw.Scratch(0)} {
		mustWrite(t, d, s, pageOf(newRand(t), textPage), 0)
		word := &d.live.Load().table.slots[0].word
		right := word.Load()
		word.Store(uint64(blockEntry(0, PageSize-8, 64)))
		if err := d.Snapshot("", io.Discard, noAbort); !errors.Is(err, ErrCorruptPage) {
			t.Errorf("%v, want %v", err, ErrCorruptPage)
		}
		word.Store(right)
	}
}
