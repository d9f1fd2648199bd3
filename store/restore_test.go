package store

import (
	"bytes"
	"errors"
	"io"
	"syscall"
	"testing"

	"uzram/alloc"
	"uzram/compress"
	"uzram/internal/snapshot"
)

// snapshotOf is a snapshot of a few pages of all kinds, some of which lie on a
// backing device.
func snapshotOf(t testing.TB, set func(*Device) error) []byte {
	t.Helper()
	d, w := newSnapshotDevice(t, 1, 64, set)
	s, rng := w.Scratch(0), newRand(t)
	for i := range 3 * pageKinds {
		mustWrite(t, d, s, pageOf(rng, i%pageKinds), int64(3*i)*PageSize)
	}
	if set != nil {
		mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{0, 20}}})
	}
	return mustSnapshot(t, d)
}

// TestRestoreOfDamage: whatever is wrong with the file, the device is afterwards
// as it was before.
func TestRestoreOfDamage(t *testing.T) {
	file := snapshotOf(t, backings["packed and encrypted"])
	d, w := newDeviceOn(t, 1, 0, "lz4", wrappedCodecs()...)
	d.SetMemoryLocked(true)
	d.openFile = func(string) (Backing, error) { return newMemBacking(64), nil }
	if err := errors.Join(d.SetAlgorithm("zstd"), d.SetWritebackBatch(7)); err != nil {
		t.Fatal(err)
	}
	refuse := func(what string, in io.Reader) {
		t.Helper()
		if err := d.Restore(in, func() {}); err == nil {
			t.Fatalf("%s is accepted", what)
		}
		if d.Initialised() || d.Algorithm() != "zstd" || d.BackingDev() != "" || d.WritebackEncryption() || d.WritebackBatch() != 7 {
			t.Fatalf("after %s: set up %v, %s, backing device %q", what, d.Initialised(), d.Algorithm(), d.BackingDev())
		}
	}
	for n := 0; n < len(file); n += 1 + n/50 {
		refuse("a file cut short", bytes.NewReader(file[:n]))
		bad := bytes.Clone(file)
		bad[n] ^= 0x10
		refuse("a file with a flipped bit", bytes.NewReader(bad))
	}
	refuse("a file with more behind it", bytes.NewReader(append(bytes.Clone(file), 0)))
	if err := d.Restore(bytes.NewReader(file), func() {}); err != nil {
		t.Fatal(err)
	}
	check(t, d)
	mustWrite(t, d, w.Scratch(0), make([]byte, PageSize), 0)
}

// headed is a snapshot with that head and those pages.
func headed(t testing.TB, change func(*snapshot.Head), pages ...snapshot.Page) []byte {
	t.Helper()
	h := snapshot.Head{
		Disksize: 64 * PageSize, Pages: uint64(len(pages)), Writeback: snapshot.Writeback{Batch: 1},
		Algorithms: []snapshot.Algorithm{{Name: "lz4"}},
	}
	if change != nil {
		change(&h)
	}
	var b bytes.Buffer
	w, err := snapshot.NewWriter(&b, h)
	for i := range pages {
		if err == nil {
			err = w.Page(&pages[i])
		}
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRestoreRefuses: files that are whole and say what cannot be.
func TestRestoreRefuses(t *testing.T) {
	same := func(slot uint64) snapshot.Page {
		return snapshot.Page{Slot: slot, Kind: snapshot.Same, Data: make([]byte, 8)}
	}
	for name, c := range map[string]struct {
		file []byte
		want syscall.Errno
	}{
		"a page twice":             {headed(t, nil, same(1), same(1)), syscall.EBADMSG},
		"a page past the end":      {headed(t, nil, same(64)), syscall.EBADMSG},
		"no size":                  {headed(t, func(h *snapshot.Head) { h.Disksize = 0 }), syscall.EBADMSG},
		"half a page":              {headed(t, func(h *snapshot.Head) { h.Disksize = 2048 }), syscall.EBADMSG},
		"too great a size":         {headed(t, func(h *snapshot.Head) { h.Disksize = 1 << 63 }), syscall.EBADMSG},
		"no algorithm":             {headed(t, func(h *snapshot.Head) { h.Algorithms = nil }), syscall.EBADMSG},
		"two primary ones":         {headed(t, func(h *snapshot.Head) { h.Algorithms = append(h.Algorithms, h.Algorithms[0]) }), syscall.EBADMSG},
		"a priority there is not":  {headed(t, func(h *snapshot.Head) { h.Algorithms[0].Priority = 4 }), syscall.EBADMSG},
		"an unknown algorithm":     {headed(t, func(h *snapshot.Head) { h.Algorithms[0].Name = "lz5" }), syscall.EINVAL},
		"a level there is not":     {headed(t, func(h *snapshot.Head) { h.Algorithms[0].Level = new(int32) }), syscall.EINVAL},
		"more than memory":         {headed(t, func(h *snapshot.Head) { h.Disksize = 1 << 62 }), syscall.ENOMEM},
		"encryption":               {headed(t, func(h *snapshot.Head) { h.Writeback.Encryption = true }), syscall.EPERM},
		"a missing backing device": {headed(t, func(h *snapshot.Head) { h.Writeback.BackingDev = "/none" }), syscall.ENOENT},
		"an object of no algorithm": {headed(t, nil, snapshot.Page{Slot: 1, Kind: snapshot.Object, Priority: 2, Data: []byte{1}}),
			syscall.EBADMSG},
		"a large object that does not decode": {headed(t, nil, snapshot.Page{Slot: 1, Kind: snapshot.Object, Data: make([]byte, PageSize-1)}),
			syscall.EIO},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDevice(t, 1, 0)
			before := settingsOf(d)
			err := d.Restore(bytes.NewReader(c.file), func() {})
			wantErrno(t, name, err, c.want)
			if d.Initialised() || settingsOf(d) != before {
				t.Errorf("set up: %v; settings %+v, were %+v", d.Initialised(), settingsOf(d), before)
			}
			if err := errors.Join(d.SetAlgorithm("zstd"), d.SetDisksize(PageSize)); err != nil {
				t.Errorf("setting it up afterwards: %v", err)
			}
		})
	}
}

// settingsOf are the settings that stay the same through nothing.
func settingsOf(d *Device) string {
	s := d.settings
	return s.algorithm[0] + s.algorithm[1] + s.backing
}

func TestRestoreNeedsADeviceThatIsNotSetUp(t *testing.T) {
	d, _ := newDevice(t, 1, 1)
	wantErrno(t, "a restore over a disk", d.Restore(bytes.NewReader(headed(t, nil)), func() {}), syscall.EBUSY)
}

// TestRestoreKeepsOthersOut: while pages come in, no verb changes what they come
// into; the device is there when the end has come, and not before.
func TestRestoreKeepsOthersOut(t *testing.T) {
	d, w := newDevice(t, 1, 0)
	file := headed(t, nil, snapshot.Page{Slot: 1, Kind: snapshot.Same, Data: []byte("abcdefgh")})
	in, feed := io.Pipe()
	done := make(chan error)
	complete := make(chan struct{})
	go func() { done <- d.Restore(in, func() { close(complete) }) }()
	if _, err := feed.Write(file[:len(file)-1]); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"disksize": d.SetDisksize(PageSize), "algorithm": d.SetAlgorithm("zstd"), "reset": d.Reset(0), "limit": d.SetMemLimit(1),
		"backing device": d.SetBackingDev("/dev/null"), "another": d.Restore(bytes.NewReader(file), func() {}),
	} {
		if !errors.Is(err, ErrRestoring) && what != "backing device" || err == nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if d.Initialised() {
		t.Error("set up before the end has come")
	}
	if _, err := feed.Write(file[len(file)-1:]); err != nil {
		t.Fatal(err)
	}
	<-complete
	if d.Initialised() {
		t.Error("set up before it is known that nothing follows the end")
	}
	feed.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	page := make([]byte, PageSize)
	if mustRead(t, d, w.Scratch(0), page, PageSize); string(page[:9]) != "abcdefgha" {
		t.Errorf("page 1 begins with %q", page[:9])
	}
}

// TestRestoreToALesserBackingDevice: what does not fit there is in memory.
func TestRestoreToALesserBackingDevice(t *testing.T) {
	file := snapshotOf(t, backings["pages"])
	d, w := newDeviceOn(t, 1, 0, "lz4", wrappedCodecs()...)
	d.openFile = func(path string) (Backing, error) {
		if path != "/mine" {
			t.Errorf("%s is opened, though there is a backing device", path)
		}
		return newMemBacking(2), nil
	}
	if err := errors.Join(d.SetBackingDev("/mine"), d.Restore(bytes.NewReader(file), func() {})); err != nil {
		t.Fatal(err)
	}
	check(t, d)
	whole, ws := restored(t, file, 64)
	a, b := make([]byte, 64*PageSize), make([]byte, 64*PageSize)
	mustRead(t, d, w.Scratch(0), a, 0)
	mustRead(t, whole, ws.Scratch(0), b, 0)
	if less, all := d.Stats().BackingUsed, whole.Stats().BackingUsed; less != 2 || all <= 2 || !bytes.Equal(a, b) {
		t.Errorf("%d blocks of 2, %d of 64; same pages: %v", less, all, bytes.Equal(a, b))
	}
}

// TestRestoreOfLostPages: what was lost is not zeros afterwards.
func TestRestoreOfLostPages(t *testing.T) {
	d, w := restored(t, headed(t, nil, snapshot.Page{Slot: 7, Kind: snapshot.Lost}), 0)
	again, ws := restored(t, mustSnapshot(t, d), 0)
	for dev, s := range map[*Device]*Scratch{d: w.Scratch(0), again: ws.Scratch(0)} {
		if _, err := dev.ReadAt(s, make([]byte, PageSize), 7*PageSize); !errors.Is(err, ErrLost) {
			t.Errorf("%v, want %v", err, ErrLost)
		}
	}
}

// TestRestoreOfManyPagesOfABackingDevice: more of them than one stretch.
func TestRestoreOfManyPagesOfABackingDevice(t *testing.T) {
	const pages = slotsPerStretch + 100
	d, w := newSnapshotDevice(t, 1, pages, backings["packed and encrypted"])
	page := pageOf(newRand(t), textPage)
	for i := range pages {
		page[0] = byte(i)
		mustWrite(t, d, w.Scratch(0), page, int64(i)*PageSize)
	}
	mustWriteback(t, d, WritebackRequest{Pages: []PageRange{{0, pages - 1}}})
	again, ws := restored(t, mustSnapshot(t, d), pages)
	if a, b := again.Stats(), d.Stats(); a.BackingUsed != b.BackingUsed || a.ComprDataSize != 0 {
		t.Errorf("%d blocks, were %d; %d bytes in memory", a.BackingUsed, b.BackingUsed, a.ComprDataSize)
	}
	got := make([]byte, PageSize)
	for i := range pages {
		page[0] = byte(i)
		if mustRead(t, again, ws.Scratch(0), got, int64(i)*PageSize); !bytes.Equal(got, page) {
			t.Fatalf("page %d differs", i)
		}
	}
}

// TestRestoreOfLargeObjects: what is too large for a size class here, and was not
// where it was written.
func TestRestoreOfLargeObjects(t *testing.T) {
	codec, _ := compress.Lookup("lz4")
	stream, err := codec.NewStream(compress.Params{})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	rng, dst := newRand(t), make([]byte, compress.DstSize(PageSize))
	page := pageOf(rng, randomPage)
	n := 0
	for zeros := PageSize / 2; n < alloc.HugeThreshold; zeros-- {
		clear(page[:zeros])
		randomBytes(rng, page[zeros:])
		if n, err = stream.Compress(dst, page); err != nil || n >= PageSize {
			t.Fatalf("%d zeros: %d bytes, %v", zeros, n, err)
		}
	}
	d, w := restored(t, headed(t, nil, snapshot.Page{Slot: 3, Kind: snapshot.Object, Data: dst[:n]}), 0)
	got := make([]byte, PageSize)
	if mustRead(t, d, w.Scratch(0), got, 3*PageSize); !bytes.Equal(got, page) || d.Stats().HugePages != 1 {
		t.Errorf("an object of %d bytes: %d huge pages; the page is right: %v", n, d.Stats().HugePages, bytes.Equal(got, page))
	}
}

// TestRestoreThatIsOvertaken: somebody sets the device up between the head and
// the first page.
func TestRestoreThatIsOvertaken(t *testing.T) {
	d, _ := newDevice(t, 1, 0)
	file := headed(t, nil)
	began := false
	in := bytes.NewReader(file)
	err := d.Restore(readerFunc(func(p []byte) (int, error) {
		if !began {
			began = true
			if err := d.SetDisksize(PageSize); err != nil {
				t.Error(err)
			}
		}
		return in.Read(p)
	}), func() {})
	if !errors.Is(err, ErrSetUp) || d.Size() != PageSize {
		t.Errorf("%v, a disk of %d bytes", err, d.Size())
	}
}
