package main

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/report"
)

// memory is a disk in memory whose collections are counted.
type memory struct {
	mu       sync.Mutex
	data     []byte
	cycles   atomic.Uint64
	refuse   error
	spoiled  bool
	maxPause uint64
}

func (m *memory) ReadAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := copy(p, m.data[off:])
	if m.spoiled {
		p[9] ^= 1
	}
	return n, nil
}

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return copy(m.data[off:], p), nil
}

func (m *memory) collect() error {
	m.cycles.Add(1)
	return m.refuse
}

func (m *memory) pauses() (pauses, error) {
	n := m.cycles.Load()
	return pauses{Cycles: n, Total: n * 2000, Max: m.maxPause}, nil
}

func testLoad(t *testing.T) (*load, *memory) {
	t.Helper()
	data := make([]byte, 2*directio.Chunk)
	for i := range data {
		data[i] = byte(i>>12) ^ byte(i)
	}
	m := &memory{data: make([]byte, 4*directio.Chunk), maxPause: 7000}
	l, err := fill(m, options{size: 4 * directio.Chunk, readers: 2, seed: 1}, data)
	if err != nil {
		t.Fatal(err)
	}
	return l, m
}

// A round forces collections only where it should, and notes one figure of each sort.
func TestRound(t *testing.T) {
	l, m := testLoad(t)
	for _, force := range []time.Duration{0, time.Millisecond} {
		m.cycles.Store(0)
		k := &kind{name: "x", load: l, force: force}
		if err := k.round(context.Background(), 20*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		if (m.cycles.Load() > 0) != (force > 0) || len(k.pauseMax) != min(1, int(force)) {
			t.Errorf("force %v: %d collections, pauses %v", force, m.cycles.Load(), k.pauseMax)
		}
		if force > 0 && (k.pause[0] != 2 || k.pauseMax[0] != 7) {
			t.Errorf("pauses of %v us, longest %v; want 2 and 7", k.pause, k.pauseMax)
		}
		for i, s := range k.latency {
			if len(s) != 1 || s[0] < 0 {
				t.Errorf("%s is %v", latencyNames[i], s)
			}
		}
		if k.reads[0] <= 0 || k.writes[0] <= 0 {
			t.Errorf("%v reads, %v writes", k.reads, k.writes)
		}
	}
	if err := l.check(); err != nil {
		t.Error(err)
	}
}

func TestFailuresShow(t *testing.T) {
	l, m := testLoad(t)
	m.refuse = errors.New("no")
	k := &kind{load: l, force: time.Millisecond}
	if err := k.round(context.Background(), time.Millisecond); !errors.Is(err, m.refuse) {
		t.Errorf("a collection that is refused: %v", err)
	}
	m.refuse, m.spoiled = nil, true
	if err := k.round(context.Background(), time.Second); err == nil || !strings.Contains(err.Error(), "not what was written") {
		t.Errorf("wrong data: %v", err)
	}
	if l.check() == nil {
		t.Error("check sees no wrong data")
	}
}

func TestNote(t *testing.T) {
	var k kind
	reads := make([]time.Duration, 10001)
	for i := range reads {
		reads[i] = time.Duration(10000-i) * time.Microsecond
	}
	k.note(reads, 50, pauses{1, 1000, 0}, pauses{3, 7000, 5000}, 2*time.Second)
	for i, n := range perTenThousand {
		if k.latency[i][0] != float64(n) {
			t.Errorf("%s of 0 to 10000 us is %v", latencyNames[i], k.latency[i])
		}
	}
	if k.longest[0] != 10000 || k.writes[0] != 25 || k.cycles[0] != 1 || k.pause[0] != 3 || k.pauseMax[0] != 5 {
		t.Errorf("%+v", k)
	}
}

// Other tools read these lines; a ratio below 1 is a cost.
func TestLines(t *testing.T) {
	var all []*kind
	for i, name := range []string{"off", "forced"} {
		k := &kind{name: name, reads: report.Series{100 / float64(i+1)}}
		for p := range k.latency {
			k.latency[p] = report.Series{10 * float64(i+1)}
		}
		all = append(all, k)
	}
	all[1].pauseMax = report.Series{3, 9, 4}
	var b strings.Builder
	printLines(&b, all)
	want := "ratio gc_forced_read_p50 0.500\nratio gc_forced_read_p99 0.500\nratio gc_forced_read_p999 0.500\n" +
		"ratio gc_forced_read_p9999 0.500\nratio gc_forced_reads 0.500\nfigure gc_forced_pause_max 9.0 us\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}

func TestParse(t *testing.T) {
	o, err := parse([]string{"-time", "10m", "-mib", "64"})
	if err != nil || o.rounds(3) != 50 || o.size != 64<<20 {
		t.Errorf("%+v, %v: %d rounds", o, err, o.rounds(3))
	}
	for _, bad := range [][]string{{"-time", "1s"}, {"-round", "1ms"}, {"-every", "0s"}, {"-mib", "0"}, {"-readers", "0"}} {
		if o, err := parse(bad); err == nil {
			t.Errorf("%q gave %+v, want an error", bad, o)
		}
	}
}
