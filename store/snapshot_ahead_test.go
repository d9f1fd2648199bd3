package store

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// countingBacking notes reads, and can hold them until several are under way.
type countingBacking struct {
	*memBacking

	mu     sync.Mutex
	reads  int
	blocks map[uint64]int
	under  int
	most   int
	enough chan struct{} // if not nil: closed when two are under way
}

func (b *countingBacking) ReadAt(p []byte, off int64) (int, error) {
	b.mu.Lock()
	b.reads++
	for n := range len(p) / PageSize {
		b.blocks[uint64(off)/PageSize+uint64(n)]++
	}
	b.under++
	if b.most = max(b.most, b.under); b.most == 2 && b.enough != nil {
		close(b.enough)
		b.enough = nil
	}
	enough := b.enough
	b.mu.Unlock()
	if enough != nil {
		select {
		case <-enough:
		case <-time.After(10 * time.Second):
		}
	}
	defer func() {
		b.mu.Lock()
		b.under--
		b.mu.Unlock()
	}()
	return b.memBacking.ReadAt(p, off)
}

// countedDevice is a device whose pages are all on a backing device that counts.
func countedDevice(t *testing.T, pages int, set func(*Device) error) (*Device, *Workers, *countingBacking, []byte) {
	t.Helper()
	d, w := newDeviceOn(t, 1, 0, "lz4", wrappedCodecs()...)
	b := &countingBacking{memBacking: newMemBacking(pages), blocks: make(map[uint64]int)}
	d.openFile = func(string) (Backing, error) { return b, nil }
	if err := d.SetBackingDev("/memory"); err != nil {
		t.Fatal(err)
	}
	if err := set(d); err != nil {
		t.Fatal(err)
	}
	setUp(t, d, chosen(t, "lz4"), pages)
	rng := newRand(t)
	var disk []byte
	for i := range pages {
		disk = append(disk, pageOf(rng, []int{textPage, randomPage, halfPage}[i%3])...)
	}
	mustWrite(t, d, w.Scratch(0), disk, 0)
	mustWriteback(t, d, everyPage(pages))
	return d, w, b, disk
}

// A snapshot reads each block once, many by one read, and several at a time.
func TestSnapshotReadsAhead(t *testing.T) {
	const pages = 8 * aheadBlocks
	for name, set := range backings {
		if set == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			d, _, b, disk := countedDevice(t, pages, set)
			before := d.Stats().BackingReads
			b.enough = make(chan struct{})
			file := mustSnapshot(t, d)
			used := int(d.Stats().BackingUsed)
			if b.most < 2 {
				t.Error("one read at a time")
			}
			if len(b.blocks) != used || int(d.Stats().BackingReads-before) != sumOf(b.blocks) {
				t.Errorf("%d blocks of %d, %d reads of blocks counted", len(b.blocks), used, d.Stats().BackingReads-before)
			}
			// A block of several objects may be read again where what is read ahead ends.
			again, most := sumOf(b.blocks)-used, 0
			if d.live.Load().backing.shares != nil {
				most = used / 32
			}
			if again > most {
				t.Errorf("%d of %d blocks were read again, want at most %d", again, used, most)
			}
			if most = used/aheadTogether*2 + 64; b.reads > most {
				t.Errorf("%d reads for %d blocks, want at most %d", b.reads, used, most)
			}
			t.Logf("%d reads for %d blocks", b.reads, used)
			next, w := restored(t, file, pages)
			wantDisk(t, next, w.Scratch(0), disk)
		})
	}
}

func sumOf(counts map[uint64]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// One block that cannot be read is an error that says which, and costs nothing
// once it can.
func TestSnapshotOfABlockThatCannotBeRead(t *testing.T) {
	const pages, bad = 2 * aheadBlocks, aheadBlocks + 7
	d, _, b, disk := countedDevice(t, pages, backings["pages"])
	failed := 0
	b.fail = func(write bool, block, n uint64) error {
		if !write && block <= bad && bad < block+n {
			failed++
			return syscall.EIO
		}
		return nil
	}
	err := d.Snapshot("", io.Discard, noAbort)
	wantErrno(t, "a lost block", err, syscall.EIO)
	if failed != 2 || !strings.Contains(err.Error(), "block 263 ") {
		t.Errorf("%v, after %d failures", err, failed)
	}
	b.fail = func(write bool, block, n uint64) error { // not together, but each alone
		if !write && n > 1 {
			return syscall.EIO
		}
		return nil
	}
	file := mustSnapshot(t, d)
	b.fail = nil
	again, w := restored(t, file, pages)
	wantDisk(t, again, w.Scratch(0), disk)
}

// A block that comes back different is noticed.
func TestSnapshotOfASpoiltBlock(t *testing.T) {
	d, _, b, _ := countedDevice(t, 40, backings["compressed and checked"])
	b.data[17*PageSize]++
	wantErrno(t, "a spoilt block", d.Snapshot("", io.Discard, noAbort), syscall.EIO)
	b.data[17*PageSize]--
	if file := mustSnapshot(t, d); bytes.Equal(file, nil) {
		t.Error("nothing was written")
	}
}
