package store

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"uzram/compress"
)

func TestSetupRules(t *testing.T) {
	d, _ := newDevice(t, 2, 0)
	for _, size := range []uint64{0, 1 << 63, ^uint64(0), ^uint64(0) - 4095} {
		wantErrno(t, "disksize", d.SetDisksize(size), syscall.EINVAL)
	}
	wantErrno(t, "1E", d.SetDisksize(1<<60), syscall.ENOMEM)
	wantErrno(t, "a table beyond the machine", d.SetDisksize((memoryBound()/slotBytes+1)*PageSize), syscall.ENOMEM)
	wantErrno(t, "compact before set-up", d.Compact(), syscall.EINVAL)
	wantErrno(t, "idle before set-up", d.MarkIdle(), syscall.EINVAL)
	wantErrno(t, "unknown algorithm", d.SetAlgorithm("nosuch"), syscall.EINVAL)
	if err := d.SetDisksize(4097); err != nil || d.Size() != 8192 {
		t.Errorf("4097 bytes: %v, size %d", err, d.Size())
	}
	wantErrno(t, "second disksize", d.SetDisksize(4096), syscall.EBUSY)
	wantErrno(t, "disksize 0 when set up", d.SetDisksize(0), syscall.EINVAL)
	wantErrno(t, "algorithm when set up", d.SetAlgorithm("lz4"), syscall.EBUSY)
	wantErrno(t, "unknown algorithm when set up", d.SetAlgorithm("nosuch"), syscall.EINVAL)
	wantErrno(t, "parameters when set up", d.SetParams(ParamsRequest{}), syscall.EBUSY)
	d.SetMemLimit(1)
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	if st := d.Stats(); st != (Stats{}) || d.Size() != 0 {
		t.Errorf("after reset: %+v", st)
	}
}

// A codec that refuses its parameters takes all choices back to the defaults.
func TestRefusedParametersRestoreDefaults(t *testing.T) {
	d, _ := newDevice(t, 1, 0)
	if err := d.SetAlgorithm("zstd"); err != nil {
		t.Fatal(err)
	}
	if err := d.SetParams(ParamsRequest{Params: compress.Params{Level: 99, HasLevel: true}}); err != nil {
		t.Fatal(err)
	}
	wantErrno(t, "disksize", d.SetDisksize(4096), syscall.EINVAL)
	if d.Initialised() || d.Algorithm() != compress.DefaultName {
		t.Errorf("algorithm %s after a refused set-up", d.Algorithm())
	}
	if err := d.SetDisksize(4096); err != nil {
		t.Error(err)
	}
}

func TestParams(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, _ := newDevice(t, 1, 0)
	for _, c := range []struct {
		name string
		r    ParamsRequest
		want syscall.Errno
	}{
		{"none", ParamsRequest{}, 0},
		{"by name", ParamsRequest{Algo: "lz4"}, 0},
		{"by name and priority", ParamsRequest{Algo: "lz4", HasPriority: true}, 0},
		{"secondary without algorithm", ParamsRequest{Priority: 1, HasPriority: true}, 0},
		{"wrong priority", ParamsRequest{Algo: "lz4", Priority: 1, HasPriority: true}, syscall.EINVAL},
		{"not configured", ParamsRequest{Algo: "zstd"}, syscall.EINVAL},
		{"priority 4", ParamsRequest{Priority: 4, HasPriority: true}, syscall.EINVAL},
		{"priority -1", ParamsRequest{Priority: -1, HasPriority: true}, syscall.EINVAL},
		{"no dictionary", ParamsRequest{DictPath: filepath.Join(dir, "none")}, syscall.ENOENT},
		{"empty dictionary", ParamsRequest{DictPath: empty}, syscall.EINVAL},
		{"directory", ParamsRequest{DictPath: dir}, syscall.EINVAL},
	} {
		wantErrno(t, c.name, d.SetParams(c.r), c.want)
	}
	d.SetParams(ParamsRequest{Params: compress.Params{Level: -5, HasLevel: true}})
	if err := d.SetAlgorithm("lz4"); err != nil {
		t.Fatal(err)
	}
	if err := d.SetDisksize(4096); err != nil {
		t.Errorf("choosing the algorithm did not drop its parameters: %v", err)
	}
}

func TestDictionary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dict")
	rng, page := newRand(t), make([]byte, PageSize)
	randomBytes(rng, page)
	if err := os.WriteFile(path, page, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, algorithm := range []string{"lz4", "zstd"} {
		d, w := newDevice(t, 1, 0)
		if err := d.SetAlgorithm(algorithm); err != nil {
			t.Fatal(err)
		}
		if err := d.SetParams(ParamsRequest{DictPath: path}); err != nil {
			t.Fatal(err)
		}
		if err := d.SetDisksize(PageSize); err != nil {
			t.Fatal(err)
		}
		mustWrite(t, d, w.Scratch(0), page, 0)
		if n := d.Stats().ComprDataSize; n > PageSize/4 {
			t.Errorf("%s: a page that is the dictionary takes %d bytes", algorithm, n)
		}
		got := make([]byte, PageSize)
		mustRead(t, d, w.Scratch(0), got, 0)
		if !bytes.Equal(got, page) {
			t.Errorf("%s: the page differs", algorithm)
		}
	}
}

func TestResetOfADeviceInUse(t *testing.T) {
	d, _ := newDevice(t, 1, 4)
	if err := d.Open(); err != nil {
		t.Fatal(err)
	}
	wantErrno(t, "reset while open", d.Reset(0), syscall.EBUSY)
	if !d.Initialised() || d.Opens() != 1 {
		t.Error("a refused reset changed something")
	}
	// A close on its way when the reset begins is waited for.
	go func() {
		d.closed <- struct{}{}
		d.closed <- struct{}{} // there is room once the reset, finding the image open, has taken the first
		d.Close()
	}()
	if err := d.Reset(0); err != nil {
		t.Error(err)
	}
	if err := d.Open(); err != nil {
		t.Error(err)
	}
	if err := d.SetDisksize(4096); err != nil {
		t.Error("set-up while open:", err)
	}
	if err := d.Reset(1); err != nil {
		t.Error("reset with an open of one's own:", err)
	}
	d.Close()
}

func TestNothingOpensDuringAReset(t *testing.T) {
	d, _ := newDevice(t, 1, 4)
	if err := d.Claim(0); err != nil {
		t.Fatal(err)
	}
	wantErrno(t, "open", d.Open(), syscall.EBUSY)
	wantErrno(t, "second reset", d.Reset(0), syscall.EBUSY)
	d.resetting = false
	if !d.Initialised() || d.Opens() != 0 {
		t.Error("what was refused changed something")
	}
}

// I/O at full load while the device comes and goes: no request sees memory that
// was given back (the race and invariants builds would tell), none fails but
// for want of a disk, and every reset ends.
func TestResetAgainstIO(t *testing.T) {
	d, w := newDevice(t, 3, 0)
	resetAgainstIO(t, d, w, chosen(t, "lz4"), false)
}

// The same on a codec that fails now and then.
func TestResetAgainstFailingIO(t *testing.T) {
	d, w, codec := newFailingDevice(t, 3, 1)
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	resetAgainstIO(t, d, w, codec.Name(), true)
}

func resetAgainstIO(t *testing.T, d *Device, w *Workers, algorithm string, failing bool) {
	const pages, rounds = 32, 40
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for id := range w.Len() {
		wg.Go(func() {
			s := w.Scratch(id)
			page, got := make([]byte, PageSize), make([]byte, PageSize)
			for n := uint32(id); ; n += uint32(w.Len()) {
				select {
				case <-stop:
					return
				default:
				}
				off := int64(n%pages) * PageSize
				numbered(page, n)
				if _, err := d.WriteAt(s, page, off); excuse(err, failing) != nil {
					wantErrno(t, "write", err, syscall.ENOSPC)
				}
				if _, err := d.ReadAt(s, got, off); excuse(err, failing) != nil {
					t.Error(err)
				}
				d.Discard(s, off, PageSize)
			}
		})
	}
	for range rounds {
		setUp(t, d, algorithm, pages)
		d.Compact()
		d.Stats()
		if err := d.Reset(0); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestBigDiskCostsNothing(t *testing.T) {
	const pages = 1 << 17
	d, w := newDevice(t, 1, pages) // small enough for the race detector's heap twin
	s := w.Scratch(0)
	before := d.Stats()
	buf := make([]byte, 1<<20)
	for off := int64(0); off < d.Size(); off += 64 << 20 {
		mustRead(t, d, s, buf, off)
	}
	if err := d.Discard(s, 0, d.Size()); err != nil {
		t.Fatal(err)
	}
	if st := d.Stats(); st.Table != before.Table || st.Table > 64<<10 {
		t.Errorf("reading and discarding an empty disk took memory: %d bytes of table, before %d", st.Table, before.Table)
	}
	page := make([]byte, PageSize)
	page[7] = 1
	mustWrite(t, d, s, page, d.Size()-PageSize)
	n := 0
	if err := d.Slots(0, func(st SlotState) bool { n++; return st.Index == pages-1 }); err != nil || n != 1 {
		t.Errorf("walk found %d slots, %v", n, err)
	}
}

func TestIdleMarks(t *testing.T) {
	d, w := newDevice(t, 1, 8)
	s := w.Scratch(0)
	rng := newRand(t)
	page := make([]byte, PageSize)
	for i, kind := range []int{textPage, zeroPage, randomPage, textPage} {
		fillPage(rng, kind, page)
		mustWrite(t, d, s, page, int64(i)*PageSize)
	}
	idle := func() (s string) {
		d.Slots(0, func(st SlotState) bool {
			s += map[bool]string{true: "i", false: "."}[st.Idle]
			return true
		})
		return s
	}
	if err := d.MarkIdle(); err != nil || idle() != "i.ii" {
		t.Errorf("after marking: %s, %v", idle(), err)
	}
	mustRead(t, d, s, page, 0)
	mustWrite(t, d, s, page, 3*PageSize)
	if idle() != "..i." {
		t.Errorf("after a read and a write: %s", idle())
	}
}

// An age marks what was not used for longer, and takes the mark off the rest.
func TestMarkIdleSince(t *testing.T) {
	d, w := newDevice(t, 1, 6)
	s, rng := w.Scratch(0), newRand(t)
	for i, kind := range []int{textPage, zeroPage, randomPage, textPage, textPage} {
		mustWrite(t, d, s, pageOf(rng, kind), int64(i)*PageSize)
	}
	slots := d.live.Load().table.slots
	now := bootSeconds()
	slots[0].aux.Store(now - 20)
	slots[2].aux.Store(now - 5 | idleMark)
	slots[3].aux.Store(0) // recompressed: older than any age
	slots[4].aux.Store(now - 60 | idleMark | postMark)
	idle := func() (s string) {
		d.Slots(0, func(st SlotState) bool {
			s += map[bool]string{true: "i", false: "."}[st.Idle]
			return true
		})
		return s
	}
	for _, c := range []struct {
		age  uint32
		want string
	}{{40, "...ii"}, {10, "i..ii"}, {2, "i.iii"}, {40, "...ii"}, {now + 10, "...ii"}} {
		if err := d.MarkIdleSince(c.age); err != nil || idle() != c.want {
			t.Errorf("after age %d: %s, %v; want %s", c.age, idle(), err, c.want)
		}
	}
	if got := slots[4].aux.Load(); got != now-60|idleMark|postMark {
		t.Errorf("the access time or the other mark became %#x", got)
	}
	if err := d.Reset(0); err != nil {
		t.Fatal(err)
	}
	wantErrno(t, "an age before set-up", d.MarkIdleSince(1), syscall.EINVAL)
	if err := d.MarkIdleSince(math.MaxUint32); err != nil {
		t.Errorf("an age beyond the boot, before set-up: %v", err)
	}
}
