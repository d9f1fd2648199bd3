package main

import (
	"context"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/report"
	"uzram/test/bench/internal/undo"
)

const (
	testSeed = 7
	testSize = 4 << 20
)

// testData is pages whose objects are of many sizes.
func testData(t *testing.T) []byte {
	t.Helper()
	data, err := directio.Alloc(2 * directio.Chunk)
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(testSeed, testSeed))
	for off := 0; off < len(data); off += pageSize {
		for i := range random.IntN(pageSize) {
			data[off+i] = byte(random.Uint32())
		}
	}
	return data
}

func testChurner(t *testing.T, data []byte) *churner {
	t.Helper()
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	o.size = testSize
	var cleanup undo.Stack
	t.Cleanup(func() {
		if err := cleanup.Unwind(); err != nil {
			t.Error(err)
		}
	})
	d, err := newEngine(context.Background(), o, &cleanup)
	if err != nil {
		t.Fatal(err)
	}
	c, err := newChurner(d, data, testSize, 20, testSeed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Compaction that finds nothing to do would cost nothing.
func TestChurnLeavesWork(t *testing.T) {
	c := testChurner(t, testData(t))
	if err := c.disk.compact(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, _, err := c.step(); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := c.disk.compacted()
	if err := c.disk.compact(); err != nil {
		t.Fatal(err)
	}
	if after, err := c.disk.compacted(); err != nil || after <= before {
		t.Errorf("compaction gave back %d pages after 1000 steps (%v), want some", after-before, err)
	}
	empty := 0
	for _, at := range c.at {
		if at < 0 {
			empty++
		}
	}
	if pages := len(c.at); empty < pages*10/100 || empty > pages*20/100 {
		t.Errorf("%d of %d pages empty, want nearly a fifth", empty, pages)
	}
	if err := c.check(); err != nil {
		t.Error(err)
	}
}

// corrupt gives back other data than were written.
type corrupt struct{ disk }

func (d corrupt) ReadAt(p []byte, off int64) (int, error) {
	n, err := d.disk.ReadAt(p, off)
	p[17] ^= 1
	return n, err
}

// lossy forgets writes.
type lossy struct{ disk }

func (d lossy) WriteAt(p []byte, off int64) (int, error) { return len(p) - 1, nil }

func TestWrongDataFail(t *testing.T) {
	c := testChurner(t, testData(t))
	good := c.disk
	c.disk = corrupt{good}
	if _, _, err := c.step(); err == nil {
		t.Error("a step did not notice wrong data")
	}
	if c.check() == nil {
		t.Error("check did not notice wrong data")
	}
	c.disk = lossy{good}
	if _, _, err := c.step(); err == nil || !strings.Contains(err.Error(), io.ErrShortWrite.Error()) {
		t.Errorf("a short write gave %v", err)
	}
}

// A round notes one figure of each sort, whatever runs beside it, and a failure
// in the background is one of the round.
func TestRounds(t *testing.T) {
	c := testChurner(t, testData(t))
	all, lat := newKinds(), &latencies{}
	for _, k := range all {
		*lat = latencies{read: make([]time.Duration, 0, maxSteps/64), write: make([]time.Duration, 0, maxSteps/64)}
		if err := k.round(context.Background(), c, 20*time.Millisecond, lat); err != nil {
			t.Fatalf("%s: %v", k.name, err)
		}
		for i := range perMille {
			if len(k.read[i]) != 1 || len(k.write[i]) != 1 || k.read[i][0] <= 0 || k.write[i][0] <= 0 {
				t.Errorf("%s: %s of reads %v, of writes %v", k.name, perMilleNames[i], k.read[i], k.write[i])
			}
		}
		if (k.calls[0] > 0) != (k.background != nil) || k.steps[0] <= 0 {
			t.Errorf("%s: %v calls and %v steps a second", k.name, k.calls, k.steps)
		}
	}
	broken := kind{background: func(*churner) error { return io.ErrUnexpectedEOF }}
	if err := broken.round(context.Background(), c, time.Millisecond, lat); err == nil {
		t.Error("a background that fails goes unnoticed")
	}
	if err := c.check(); err != nil {
		t.Error(err)
	}
}

func TestPercentiles(t *testing.T) {
	times := make([]time.Duration, 1001)
	for i := range times {
		times[i] = time.Duration(1000-i) * time.Microsecond
	}
	var p percentiles
	if longest := p.note(times); longest != 1000 || p[0][0] != 500 || p[1][0] != 990 || p[2][0] != 999 {
		t.Errorf("percentiles %v, longest %v of 0 to 1000 us", p, longest)
	}
}

// Other tools read these lines; a ratio below 1 is a cost.
func TestLines(t *testing.T) {
	all := newKinds()
	for i, k := range all {
		for p := range perMille {
			k.read[p], k.write[p] = report.Series{float64(10 * (i + 1))}, report.Series{float64(100 * (i + 1))}
		}
	}
	for face, want := range map[string]string{
		faceEngine: "ratio compaction_read_p50 0.333\nratio compaction_read_p99 0.333\nratio compaction_read_p999 0.333\n" +
			"ratio compaction_write_p50 0.333\nratio compaction_write_p99 0.333\nratio compaction_write_p999 0.333\n" +
			"ratio compaction_busy_read_p50 0.500\n",
		faceMount: "ratio compaction_mount_read_p50 0.333\n",
	} {
		var lines strings.Builder
		printLines(&lines, face, all)
		if !strings.HasPrefix(lines.String(), want) {
			t.Errorf("%s: lines\n%swant\n%s", face, lines.String(), want)
		}
		if own := "own_write_p999 0.667\n"; !strings.HasSuffix(lines.String(), own) {
			t.Errorf("%s: lines\n%sdo not end in %s", face, lines.String(), own)
		}
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-rounds", "3", "-time", "5ms", "-mib", "64", "-face", "engine"})
	if err != nil || o.rounds != 3 || o.time != 5*time.Millisecond || o.size != 64<<20 || len(o.faces) != 1 {
		t.Errorf("options %+v, %v", o, err)
	}
	for _, bad := range [][]string{{"-rounds", "0"}, {"-time", "1us"}, {"-time", "1h"}, {"-mib", "0"}, {"-empty", "0"}, {"-face", "loop"}} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, o)
		}
	}
	for _, name := range faceNames {
		if faces[name] == nil {
			t.Errorf("face %q cannot be made", name)
		}
	}
}
