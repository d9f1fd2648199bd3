package e2e

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// TestLife_UnderLoad: several processes write, read and punch holes, each in its own part of the image, while another one
// keeps turning every knob. No byte may be wrong, and what would pull the device from under them is refused.
func TestLife_UnderLoad(t *testing.T) {
	for _, algorithm := range []string{"lz4", "zstd"} {
		t.Run(algorithm, func(t *testing.T) {
			dev := harness.Mount(t, harness.Options{Algorithm: algorithm})
			seed := newSeed(t)
			for round := range uint64(2) {
				dev.Set("comp_algorithm", algorithm)
				dev.Set("disksize", "64M")
				underLoad(t, dev, seed+round)
				dev.Set("reset", "1")
				if mm := dev.MM(); mm != (harness.MM{}) {
					t.Errorf("mm_stat after reset: %+v", mm)
				}
			}
		})
	}
}

const (
	scribblers   = 3
	scribbleTime = 4 * time.Second
	scribbleSize = 6 * mib
)

// underLoad runs the scribblers and turns knobs until they have ended.
func underLoad(t *testing.T, dev *harness.Dev, seed uint64) {
	t.Helper()
	held := open(t, dev.Image, unix.O_RDONLY) // or a reset before the first scribbler's open would work
	var procs []*harness.Proc
	for i := range int64(scribblers) {
		procs = append(procs, harness.StartScribbler(t, harness.ScribbleOrders{
			Image: dev.Image, Start: i * 2 * scribbleSize, Size: scribbleSize, Seed: seed, For: scribbleTime, Full: true,
		}))
	}
	failed := func() int64 { return dev.Numbers("io_stat")[1] }
	before := failed()
	dev.Set("mem_limit", "1M")
	for running(procs) && failed() == before { // on a busy machine the knobs turned may be too few for this
	}
	dev.Set("mem_limit", "0")
	turns := map[string]int{}
	for r := rand.New(rand.NewPCG(seed, 99)); running(procs); {
		knob := knobs[r.IntN(len(knobs))]
		if err := dev.Write(knob.attr, knob.command); harness.Errno(err) != knob.want {
			t.Errorf("%s <- %q under load: %v, want %v", knob.attr, knob.command, err, knob.want)
		}
		turns[knob.attr]++
		if orig := dev.MM().Orig; orig > scribblers*scribbleSize {
			t.Errorf("mm_stat under load: %d bytes stored, but only %d are written to", orig, scribblers*scribbleSize)
		}
	}
	dev.Set("mem_limit", "0")
	var sum harness.ScribbleReport
	for _, p := range procs {
		r := harness.ScribblerResult(t, p, patience)
		sum.Writes, sum.Reads, sum.Holes, sum.Refused = sum.Writes+r.Writes, sum.Reads+r.Reads, sum.Holes+r.Holes, sum.Refused+r.Refused
	}
	mm := dev.MM()
	t.Logf("%+v; knobs %v; mm_stat %+v", sum, turns, mm)
	if mm.Compr > mm.Used || mm.Huge*page > mm.Compr || mm.Huge > mm.HugeAll {
		t.Errorf("mm_stat afterwards: %+v", mm)
	}
	if sum.Refused == 0 || sum.Refused > sum.Writes*9/10 {
		t.Errorf("%d of %d writes were refused because of the limit: want some, but not nearly all", sum.Refused, sum.Writes)
	}
	if dev.Numbers("io_stat")[1] == 0 {
		t.Error("no failed writes in io_stat")
	}
	shut(t, held)
}

// knobs are what is turned under load. While the image is open, reset and a new size are refused.
var knobs = []struct {
	attr, command string
	want          unix.Errno
}{
	{"compact", "1", 0},
	{"compact", "1", 0},
	{"idle", "all", 0},
	{"mem_used_max", "0", 0},
	{"mem_limit", "0", 0},
	{"mem_limit", "0", 0},
	{"mem_limit", "1M", 0},
	{"mem_limit", "64M", 0},
	{"disksize", "128M", unix.EBUSY},
	{"disksize", "0", unix.EINVAL},
	{"reset", "1", unix.EBUSY},
	{"comp_algorithm", "lz4hc", unix.EBUSY},
	{"algorithm_params", "level=3", unix.EBUSY},
}

func running(procs []*harness.Proc) bool {
	for _, p := range procs {
		if !p.Running() {
			return false
		}
	}
	return true
}

// TestLife_Compaction: objects move all the time while their pages are read and written.
func TestLife_Compaction(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M"})
	seed := newSeed(t)
	var procs []*harness.Proc
	for i := range int64(scribblers) {
		procs = append(procs, harness.StartScribbler(t, harness.ScribbleOrders{
			Image: dev.Image, Start: i * mib, Size: mib, Seed: seed, For: scribbleTime,
		}))
	}
	fd := open(t, dev.Path("compact"), unix.O_WRONLY)
	times := 0
	for ; running(procs); times++ {
		if _, err := unix.Write(fd, []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range procs {
		harness.ScribblerResult(t, p, patience)
	}
	mm := dev.MM()
	t.Logf("%d compactions freed %d pages", times, mm.Compacted)
	if mm.Compacted == 0 {
		t.Error("nothing was compacted")
	}
}

// TestLife_LoopUnderLoad: through the loop device, which the kernel writes to in its own time and order, and the image at
// once.
func TestLife_LoopUnderLoad(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Loop: true, Disksize: "64M"})
	seed := newSeed(t)
	p := harness.StartScribbler(t, harness.ScribbleOrders{
		Image: dev.Loop, Start: 16 * mib, Size: scribbleSize, Seed: seed, For: 3 * time.Second, WholeHoles: true,
	})
	q := harness.StartScribbler(t, harness.ScribbleOrders{Image: dev.Image, Start: 0, Size: scribbleSize, Seed: seed, For: 3 * time.Second})
	for p.Running() && q.Running() {
		dev.Set("compact", "1")
		dev.Set("idle", "all")
	}
	t.Logf("loop %+v, image %+v", harness.ScribblerResult(t, p, patience), harness.ScribblerResult(t, q, patience))
	unix.Sync()
	dev.Set("reset", "1")
}

// TestLife_MemLimit: at the limit a write fails with EIO, and that is all that happens: what is stored stays, pages that
// need no memory are taken, and room made by a discard or a higher limit is used.
func TestLife_MemLimit(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "64M", MemLimit: "2M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	seed := newSeed(t)
	random := func(i int, salt uint64) []byte {
		p := make([]byte, page)
		harness.FillPage(p, harness.Random, seed+uint64(i)+salt<<32)
		return p
	}
	fits := int(2 * mib / page)
	for i := range fits {
		pwrite(t, fd, random(i, 0), int64(i)*page)
	}
	refused := func(what string, i int, p []byte) {
		t.Helper()
		failed := dev.Numbers("io_stat")[1]
		if _, err := unix.Pwrite(fd, p, int64(i)*page); err != unix.EIO {
			t.Errorf("%s: %v, want EIO", what, err)
		}
		if now := dev.Numbers("io_stat")[1]; now != failed+1 {
			t.Errorf("%s: failed_writes went from %d to %d", what, failed, now)
		}
	}
	refused("one page more", fits, random(fits, 0))
	refused("another instead of one", 7, random(7, 1))
	refused("a part of one", 9, random(9, 1)[:100])
	for i := range fits {
		expectBytes(t, "page at the limit", pread(t, fd, page, int64(i)*page), random(i, 0))
	}
	expectBytes(t, "page that did not fit", pread(t, fd, page, int64(fits)*page), make([]byte, page))
	if mm := dev.MM(); mm.Used != 2*mib || mm.Limit != 2*mib || mm.Max < mm.Used || mm.Orig != 2*mib || mm.Huge != int64(fits) {
		t.Errorf("mm_stat at the limit: %+v", mm)
	}

	pwrite(t, fd, make([]byte, page), 7*page) // same-filled: takes nothing, and frees what it replaces
	pwrite(t, fd, random(fits, 0), int64(fits)*page)
	refused("the room is used", fits+1, random(fits+1, 0))
	if err := unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, page); err != nil {
		t.Fatal(err)
	}
	pwrite(t, fd, random(fits+1, 0), int64(fits+1)*page)
	dev.Set("mem_limit", "1M")
	refused("a lower limit", fits+2, random(fits+2, 0))
	expectBytes(t, "page under a lower limit", pread(t, fd, page, 20*page), random(20, 0))
	dev.Set("mem_limit", "0")
	pwrite(t, fd, random(fits+2, 0), int64(fits+2)*page)
	expectBytes(t, "page without limit", pread(t, fd, page, int64(fits+2)*page), random(fits+2, 0))
}

// TestLife_SharedPages: several threads each own a part of every page and write it in pieces. A piece that is stored must
// not undo a neighbour's.
func TestLife_SharedPages(t *testing.T) {
	dev := harness.Mount(t, harness.Options{Disksize: "1M"})
	fd := open(t, dev.Image, unix.O_RDWR)
	seed := newSeed(t)
	const threads, pages, rounds = 4, 8, 3000
	const part = page / threads
	var wg sync.WaitGroup
	for id := range int64(threads) {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(id)))
			var want [pages][part]byte
			for round := range rounds {
				i := r.Int64N(pages)
				at := i*page + id*part
				from := r.Int64N(part)
				piece := want[i][from : from+r.Int64N(part-from)+1]
				for j := range piece {
					piece[j] = byte(round) + byte(j)*byte(id+1)
				}
				if n, err := unix.Pwrite(fd, piece, at+from); err != nil || n != len(piece) {
					t.Errorf("write of %d bytes at %d: %d, %v", len(piece), at+from, n, err)
					return
				}
				var got [part]byte
				if n, err := unix.Pread(fd, got[:], at); err != nil || n != part || got != want[i] {
					t.Errorf("thread %d, round %d: its part of page %d is not as written (%d, %v)", id, round, i, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
}
