package store

import (
	"bytes"
	"errors"
	"syscall"
	"testing"
)

// sealedDevice is a device with one page written back under set, and what was
// written.
func sealedDevice(t *testing.T, set func(*Device) error) (*Device, *Scratch, *memBacking, []byte) {
	t.Helper()
	d, w := newDeviceOn(t, 1, 0, "lz4")
	b := newMemBacking(8)
	d.openFile = func(string) (Backing, error) { return b, nil }
	if err := errors.Join(set(d), d.SetBackingDev("/memory")); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", 4)
	s, rng := w.Scratch(0), newRand(t)
	page := pageOf(rng, textPage)
	mustWrite(t, d, s, page, 0)
	mustWrite(t, d, s, pageOf(rng, randomPage), PageSize)
	mustWriteback(t, d, everyPage(4))
	return d, s, b, page
}

var sealings = map[string]func(*Device) error{
	"checksum": func(d *Device) error { return d.SetWritebackChecksum(true) },
	"encryption": func(d *Device) error {
		d.SetMemoryLocked(true)
		return d.SetWritebackEncryption(true)
	},
}

// A block that is not what was written there is an error, counted, and never
// data: one flipped bit, an old block, another block.
func TestSealedBlocks(t *testing.T) {
	for name, set := range sealings {
		t.Run(name, func(t *testing.T) {
			d, s, b, page := sealedDevice(t, set)
			whole := bytes.Clone(b.data)
			at := int(d.live.Load().table.load(0).block())
			block := b.data[at*PageSize:][:PageSize]
			for i, spoil := range []func(){
				func() { block[0] ^= 1 },
				func() { block[PageSize-1] ^= 0x80 },
				func() { clear(block) },
				func() { copy(block, whole[(1-at)*PageSize:]) },
			} {
				spoil()
				got := bytes.Repeat([]byte{0xee}, PageSize)
				if _, err := d.ReadAt(s, got, 0); !errors.Is(err, ErrBacking) {
					t.Errorf("spoilt %d: %v", i, err)
				}
				if bad := d.Stats().BackingBad; bad != uint64(i+1) {
					t.Errorf("spoilt %d: %d bad blocks", i, bad)
				}
				copy(b.data, whole)
				wantPage(t, d, s, 0, page)
			}

			// What was there before under the same block number.
			if err := d.Discard(s, 0, PageSize); err != nil {
				t.Fatal(err)
			}
			mustWrite(t, d, s, page, 0)
			mustWriteback(t, d, everyPage(1))
			if now := d.live.Load().table.load(0).block(); int(now) != at {
				t.Fatalf("block %d, was %d", now, at)
			}
			fresh := bytes.Clone(block)
			copy(block, whole[at*PageSize:])
			_, err := d.ReadAt(s, make([]byte, PageSize), 0)
			if name == "encryption" && (!errors.Is(err, ErrBacking) || bytes.Equal(fresh, block)) {
				t.Errorf("an old block with the same contents: %v", err)
			}
			copy(block, fresh)
			wantPage(t, d, s, 0, page)
		})
	}
}

// Nothing that was written can be seen on the device, nor that two pages are the
// same.
func TestEncryptionHides(t *testing.T) {
	d, s, b, page := sealedDevice(t, sealings["encryption"])
	mustWrite(t, d, s, page, 2*PageSize)
	mustWriteback(t, d, everyPage(4))
	seen := map[string]bool{}
	for at := 0; at+16 <= len(page); at += 16 {
		if bytes.Contains(b.data, page[at:at+16]) {
			t.Fatalf("bytes %d to %d lie on the device", at, at+16)
		}
	}
	for _, i := range []uint64{0, 2} {
		block := d.live.Load().table.load(i).block()
		seen[string(b.data[block*PageSize:][:PageSize])] = true
	}
	if len(seen) != 2 {
		t.Error("equal pages have equal blocks")
	}
	wantPage(t, d, s, 2, page)
}

func TestEncryptionNeedsLockedMemory(t *testing.T) {
	d, _ := newDeviceOn(t, 1, 0, "lz4")
	wantErrno(t, "encryption", d.SetWritebackEncryption(true), syscall.EPERM)
	if d.WritebackEncryption() {
		t.Error("switched on nevertheless")
	}
	if err := d.SetWritebackEncryption(false); err != nil {
		t.Error(err)
	}
}

// A sealer leaves alone what lies behind the block.
func TestSealsKeepNeighbours(t *testing.T) {
	e, err := newEncryption(new(stateWords), make([]sealedBlock, 2))
	if err != nil {
		t.Fatal(err)
	}
	s, rng := new(Scratch), newRand(t)
	buf := make([]byte, PageSize+sealOverhead)
	randomBytes(rng, buf)
	was := bytes.Clone(buf)
	e.seal(s, buf, 1)
	if !bytes.Equal(buf[PageSize:], was[PageSize:]) || bytes.Equal(buf[:PageSize], was[:PageSize]) {
		t.Error("sealing changed the wrong bytes")
	}
	if !e.open(s, buf, 1) || !bytes.Equal(buf[:PageSize], was[:PageSize]) {
		t.Error("the block does not come back")
	}
}

// Objects that share a block come back each, the block comes free with the last,
// and blocks are filled well.
func TestPackedWriteback(t *testing.T) {
	const pages = 2000
	d, w := newDeviceOn(t, 2, 0, "lz4")
	b := newMemBacking(pages)
	d.openFile = func(string) (Backing, error) { return b, nil }
	if err := errors.Join(d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetBackingDev("/memory")); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", pages)
	s, rng := w.Scratch(0), newRand(t)
	disk := make([]byte, pages*PageSize)
	for i := range pages {
		page := disk[i*PageSize:][:PageSize]
		fillPage(rng, textPage, page)
		randomBytes(rng, page[:rng.IntN(3000)])
	}
	mustWrite(t, d, s, disk, 0)
	before := d.Stats()
	r := mustWriteback(t, d, everyPage(pages))
	st := d.Stats()
	if r.Written != pages || r.Blocks != st.BackingUsed || r.Blocks != st.BackingWrites {
		t.Errorf("%+v, figures %+v", r, st)
	}
	fill := float64(before.ComprDataSize) / float64(r.Blocks*PageSize)
	t.Logf("%d objects in %d blocks, %.1f %% full", pages, r.Blocks, 100*fill)
	if fill < 0.85 {
		t.Errorf("blocks are %.1f %% full", 100*fill)
	}
	check(t, d)
	got := make([]byte, len(disk))
	if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
		t.Error("the disk differs")
	}
	for i := range int64(pages) {
		if i%2 == 0 {
			if err := d.Discard(s, i*PageSize, PageSize); err != nil {
				t.Fatal(err)
			}
		}
	}
	check(t, d)
	for i := int64(1); i < pages; i += 2 {
		wantPage(t, d, s, i, disk[i*PageSize:][:PageSize])
	}
	if err := d.Discard(s, 0, pages*PageSize); err != nil {
		t.Fatal(err)
	}
	if used := d.Stats().BackingUsed; used != 0 {
		t.Errorf("%d blocks in use without pages", used)
	}
}

// A block that cannot be written keeps all that was packed into it in memory.
func TestPackedWritebackFailures(t *testing.T) {
	d, w := newDeviceOn(t, 1, 0, "lz4")
	b := newMemBacking(64)
	b.fail = func(write bool, block, n uint64) error {
		if write && block <= 1 && 1 < block+n {
			return syscall.EIO
		}
		return nil
	}
	d.openFile = func(string) (Backing, error) { return b, nil }
	if err := errors.Join(d.SetCompressedWriteback(true), d.SetWritebackPack(true), d.SetBackingDev("/memory")); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, "lz4", 64)
	s, rng := w.Scratch(0), newRand(t)
	var disk []byte
	for range 64 {
		page := pageOf(rng, textPage)
		randomBytes(rng, page[:1000])
		disk = append(disk, page...)
	}
	mustWrite(t, d, s, disk, 0)
	r, err := d.Writeback(everyPage(64))
	wantErrno(t, "a run with a bad block", err, syscall.EIO)
	if r.Failed == 0 || r.Failed > 4 || r.Failed+r.Written != 64 {
		t.Errorf("%+v", r)
	}
	if d.live.Load().backing.isTaken(1) {
		t.Error("the bad block is taken")
	}
	check(t, d)
	got := make([]byte, len(disk))
	if mustRead(t, d, s, got, 0); !bytes.Equal(got, disk) {
		t.Error("the disk differs")
	}
}

// Reading what was written back allocates nothing, however it is sealed.
func TestReadingBlocksAllocatesNothing(t *testing.T) {
	for name, set := range sealings {
		d, s, _, _ := sealedDevice(t, set)
		for _, pages := range []int{1, 4} {
			buf := make([]byte, pages*PageSize)
			if n := testing.AllocsPerRun(100, func() {
				if _, err := d.ReadAt(s, buf, 0); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%s: %v allocations a read of %d pages", name, n, pages)
			}
		}
	}
}
