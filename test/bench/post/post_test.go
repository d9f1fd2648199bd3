package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uzram/store"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/undo"
)

// testData is pages whose objects are of many sizes, and some that are same-filled.
func testData(t *testing.T) []byte {
	t.Helper()
	data, err := directio.Alloc(directio.Chunk)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(7, 7))
	for off := 0; off < len(data); off += pageSize {
		if off/pageSize%8 == 3 {
			continue
		}
		for i := range 1 + random.IntN(pageSize) {
			data[off+i] = byte(random.Uint32())
		}
	}
	return data
}

// testBench measures little, with the backing file wherever tests may write.
func testBench(t *testing.T, args ...string) *bench {
	t.Helper()
	o, err := parse(append([]string{"-mib=1", "-rounds=2", "-time=1ms", "-tmpfs", "-dir=" + t.TempDir()}, args...))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(context.Background(), o, testData(t))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every variant does what its name says; all leave the directory as it was.
func TestVariants(t *testing.T) {
	var names []string
	for _, v := range variants() {
		names = append(names, v.name)
	}
	b := testBench(t, "-variants="+strings.Join(names, ","))
	var cleanup undo.Stack
	var out, lines bytes.Buffer
	if err := b.writeback(&out, &lines, &cleanup); err != nil {
		t.Fatal(err)
	}
	for _, v := range b.options.variants {
		if fill := v.fill.Median(); v.pack != (fill < 1) {
			t.Errorf("%s: %.2f blocks a page", v.name, fill)
		}
		if gone := v.gone.Median(); gone < 0.3 || gone > 1.5 {
			t.Errorf("%s: %.2f bytes of memory freed for one of objects", v.name, gone)
		}
		if len(v.latency[beside].p99) != b.options.rounds || v.back.Median() <= 0 {
			t.Errorf("%s: %d rounds of reads, read back at %v", v.name, len(v.latency[beside].p99), v.back)
		}
		for _, ratio := range []string{"writeback_", "writeback_same_requests_"} {
			if n := strings.Count(lines.String(), "ratio "+ratio+v.name+" "); n != 1 {
				t.Errorf("%d lines of %s%s", n, ratio, v.name)
			}
		}
	}
	if err := cleanup.Unwind(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(b.options.dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestRecompression(t *testing.T) {
	b := testBench(t)
	var out, lines bytes.Buffer
	if err := b.recompress(&out, &lines, new(undo.Stack)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"per_core", "wall", "all_per_core", "all_wall", "memory", "read_p99"} {
		if !strings.Contains(lines.String(), "ratio recompress_"+name+" ") {
			t.Errorf("no ratio %s in\n%s", name, lines.String())
		}
	}
}

// What is wrong by one byte, or lies at another page's place, is found; no page
// but a same-filled one is like another.
func TestContent(t *testing.T) {
	c := newContent(testData(t))
	p := make([]byte, 2*pageSize)
	for _, i := range []int{0, 2, 3, len(c.same) + 2, 5*len(c.same) - 1} {
		c.put(p, i)
		if !c.is(p, i) {
			t.Errorf("pages %d and %d are not what was put", i, i+1)
		}
		for _, at := range []int{0, numberAt, pageSize - 1, 2*pageSize - 1} {
			p[at]++
			if c.is(p, i) {
				t.Errorf("byte %d of page %d is wrong and was not found", at, i)
			}
			p[at]--
		}
		if c.is(p, i+len(c.same)) {
			t.Errorf("pages %d and %d pass for those a round later", i, i+1)
		}
	}
	if n, want := c.objects(0, 2*len(c.same)), 2*len(c.same)*7/8; n != want {
		t.Errorf("%d of %d pages are not same-filled, want %d", n, 2*len(c.same), want)
	}
}

// A page that changed on the disk fails the check and the reads.
func TestWrongDataFail(t *testing.T) {
	b := testBench(t)
	d, err := b.content.newDisk(64, b.buf, func(*store.Device) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer d.device.Reset(0)
	if err := d.fill(0, d.pages); err != nil {
		t.Fatal(err)
	}
	if _, err := d.check(0, d.pages); err != nil {
		t.Fatal(err)
	}
	if _, err := d.device.WriteAt(d.scratch, []byte{1, 2, 3}, 40*pageSize+100); err != nil {
		t.Fatal(err)
	}
	if _, err := d.check(0, d.pages); err == nil {
		t.Error("check did not notice wrong data")
	}
	var l latency
	if err := l.besides(b.reader, d, 40, 41, time.Millisecond, func() error { return nil }); err == nil {
		t.Error("a read did not notice wrong data")
	}
}

// Memory is refused for a disk, unless asked for.
func TestTmpfsIsRefused(t *testing.T) {
	const dir = "/dev/shm"
	for _, allowed := range []bool{false, true} {
		var cleanup undo.Stack
		_, err := newFile(dir, 1<<20, allowed, &cleanup)
		if allowed != (err == nil) {
			t.Errorf("a file in %s, allowed %v: %v", dir, allowed, err)
		}
		if err := cleanup.Unwind(); err != nil {
			t.Error(err)
		}
	}
}

// The file is sparse when it is new, and allocated after a raw write, of all
// sizes and several at a time.
func TestFileStates(t *testing.T) {
	var cleanup undo.Stack
	defer cleanup.Unwind()
	f, err := newFile(t.TempDir(), 3<<20, true, &cleanup)
	if err != nil {
		t.Fatal(err)
	}
	data := testData(t)
	for _, r := range bars() {
		if err := f.fresh(); err != nil {
			t.Fatal(err)
		}
		if full, err := f.allocated(); full || err != nil {
			t.Errorf("a new file is allocated: %v, %v", full, err)
		}
		if _, err := f.raw(data, f.size, r.size, r.depth); err != nil {
			t.Fatal(err)
		}
		if full, err := f.allocated(); !full || err != nil {
			t.Errorf("%s: not allocated after it was written: %v", r.name, err)
		}
		got, err := os.ReadFile(f.path)
		if err != nil || !bytes.Equal(got, bytes.Repeat(data, 3)) {
			t.Errorf("%s: the file is not what was written: %v", r.name, err)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, args := range []string{"-rounds=0", "-mib=0", "-time=0s", "-part=all", "-variants=plain,fast", "-unknown"} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%s is taken", args)
		}
	}
	o, err := parse([]string{"-variants", "pack,pack", "-part", "writeback"})
	if err != nil || len(o.variants) != 1 || len(o.parts) != 1 {
		t.Errorf("%d variants, %d parts, %v", len(o.variants), len(o.parts), err)
	}
}

func TestProfile(t *testing.T) {
	var cleanup undo.Stack
	file := filepath.Join(t.TempDir(), "profile")
	if err := profile(file, &cleanup); err != nil {
		t.Fatal(err)
	}
	if err := cleanup.Unwind(); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(file); err != nil || st.Size() == 0 {
		t.Errorf("no profile: %v", err)
	}
}
