package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"uzram/alloc"
	"uzram/test/bench/internal/directio"
	"uzram/test/bench/internal/report"
)

// full fills a disk with the corpus and says what the engine keeps beside the
// pool.
func full(ctx context.Context, o options, data []byte, w, lines io.Writer) error {
	var rows [][]string
	for _, algorithm := range o.algorithms {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := fullDisk(o, algorithm, data)
		if err != nil {
			return fmt.Errorf("%s: %w", algorithm, err)
		}
		rows = append(rows, m.rows()...)
		report.Figure(lines, "memory_metadata_"+algorithm, report.Series{float64(m.metadata())}, "bytes")
	}
	report.Table(w, []string{fmt.Sprintf("a full disk of %d MiB, %d workers", o.mib, o.workers), "bytes", "% of stored", "% of used"}, rows)
	return nil
}

// metadata is the memory of one device, in bytes.
type metadata struct {
	algorithm      string
	stored, used   uint64
	table, pool    uint64 // by Device.Stats
	streams, warm  uint64
	heap           uint64 // beside all arenas
	arenas         map[string]uint64
	slots, zspages uint64
}

func fullDisk(o options, algorithm string, data []byte) (*metadata, error) {
	crew, err := newEngineSide(o.workers)
	if err != nil {
		return nil, err
	}
	before, arenas := heap(), residentArenas()
	size := int64(o.mib) << 20
	if err := crew.fresh(algorithm, size); err != nil {
		return nil, err
	}
	defer crew.done()
	if err := directio.Fill(crew, data, size); err != nil {
		return nil, err
	}
	s := crew.device.Stats()
	rows, err := crew.device.Classes()
	if err != nil {
		return nil, err
	}
	m := &metadata{
		algorithm: algorithm, stored: s.OrigDataSize, used: s.MemUsedTotal,
		table: s.Table, pool: s.PoolMeta, streams: s.Streams, warm: s.Reserve,
		heap: heap() - before, slots: s.Disksize / alloc.PageSize, arenas: residentArenas(),
	}
	for name, n := range arenas {
		m.arenas[name] -= n
	}
	for _, r := range rows {
		m.zspages += r.Pages / uint64(r.PagesPerZspage)
	}
	return m, nil
}

// metadata is all but the pool itself. Streams are on the heap or beside it,
// depending on the codec: the larger figure covers both.
func (m *metadata) metadata() uint64 {
	return m.table + m.pool + m.warm + max(m.streams, m.heap)
}

func (m *metadata) rows() [][]string {
	row := func(name string, n uint64) []string {
		return []string{m.algorithm + ", " + name, fmt.Sprint(n), share(n, m.stored), share(n, m.used)}
	}
	return [][]string{
		row("stored", m.stored),
		row("pool (mem_used_total)", m.used),
		row(fmt.Sprintf("slots, %.2f bytes each", float64(m.arenas["slots"])/float64(m.slots)), m.arenas["slots"]),
		row("same-filled elements", m.arenas["elements"]),
		row(fmt.Sprintf("descriptors of %d zspages", m.zspages), m.arenas["zspages"]),
		row("frames", m.arenas["frames"]),
		row("warm runs of the pool", m.warm),
		row("streams", m.streams),
		row("Go heap: streams, classes, reserves, counters", m.heap),
		row("all metadata", m.metadata()),
	}
}

func share(n, of uint64) string { return fmt.Sprintf("%.3f", 100*float64(n)/float64(of)) }

// heap is the live bytes of the Go heap.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// residentArenas is what this process's arenas take, in bytes, by what they are
// for. They are memfds, so their names are among the descriptors.
func residentArenas() map[string]uint64 {
	found := map[string]uint64{}
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return found
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		target, err := os.Readlink(path)
		name, ours := strings.CutPrefix(target, "/memfd:uzram-")
		var st unix.Stat_t
		if err != nil || !ours || unix.Stat(path, &st) != nil {
			continue
		}
		name, _, _ = strings.Cut(name, " ")
		found[name] += uint64(st.Blocks) * 512
	}
	return found
}
