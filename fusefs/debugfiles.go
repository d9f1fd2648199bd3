package fusefs

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"uzram/internal/status"
	"uzram/internal/zramabi"
	"uzram/store"
)

// figures names every figure of a device for debug/status.
var figures = []struct {
	name string
	get  func(*store.Stats) uint64
}{
	{"disksize", func(s *store.Stats) uint64 { return s.Disksize }},
	{"orig_data_size", func(s *store.Stats) uint64 { return s.OrigDataSize }},
	{"compr_data_size", func(s *store.Stats) uint64 { return s.ComprDataSize }},
	{"mem_used_total", func(s *store.Stats) uint64 { return s.MemUsedTotal }},
	{"mem_limit", func(s *store.Stats) uint64 { return s.MemLimit }},
	{"mem_used_max", func(s *store.Stats) uint64 { return s.MemUsedMax }},
	{"same_pages", func(s *store.Stats) uint64 { return s.SamePages }},
	{"pages_compacted", func(s *store.Stats) uint64 { return s.PagesCompacted }},
	{"huge_pages", func(s *store.Stats) uint64 { return s.HugePages }},
	{"huge_pages_since", func(s *store.Stats) uint64 { return s.HugePagesSince }},
	{"failed_reads", func(s *store.Stats) uint64 { return s.FailedReads }},
	{"failed_writes", func(s *store.Stats) uint64 { return s.FailedWrites }},
	{"invalid_io", func(s *store.Stats) uint64 { return s.InvalidIO }},
	{"notify_free", func(s *store.Stats) uint64 { return s.NotifyFree }},
	{"backing_blocks", func(s *store.Stats) uint64 { return s.BackingBlocks }},
	{"backing_used", func(s *store.Stats) uint64 { return s.BackingUsed }},
	{"backing_reads", func(s *store.Stats) uint64 { return s.BackingReads }},
	{"backing_writes", func(s *store.Stats) uint64 { return s.BackingWrites }},
	{"backing_bad", func(s *store.Stats) uint64 { return s.BackingBad }},
	{"miss_free", func(s *store.Stats) uint64 { return s.MissFree }},
	{"table", func(s *store.Stats) uint64 { return s.Table }},
	{"pool_meta", func(s *store.Stats) uint64 { return s.PoolMeta }},
	{"backing_meta", func(s *store.Stats) uint64 { return s.BackingMeta }},
	{"streams", func(s *store.Stats) uint64 { return s.Streams }},
	{"reserve", func(s *store.Stats) uint64 { return s.Reserve }},
}

// ioFigures does the same for the block layer's counts.
var ioFigures = []struct {
	name string
	get  func(*zramabi.BlockStat) uint64
}{
	{"read_ios", func(s *zramabi.BlockStat) uint64 { return s.Read.IOs }},
	{"read_sectors", func(s *zramabi.BlockStat) uint64 { return s.Read.Sectors }},
	{"read_ms", func(s *zramabi.BlockStat) uint64 { return s.Read.Milliseconds }},
	{"write_ios", func(s *zramabi.BlockStat) uint64 { return s.Write.IOs }},
	{"write_sectors", func(s *zramabi.BlockStat) uint64 { return s.Write.Sectors }},
	{"write_ms", func(s *zramabi.BlockStat) uint64 { return s.Write.Milliseconds }},
	{"flush_ios", func(s *zramabi.BlockStat) uint64 { return s.FlushIOs }},
	{"in_flight", func(s *zramabi.BlockStat) uint64 { return s.InFlight }},
	{"io_ms", func(s *zramabi.BlockStat) uint64 { return s.Ticks }},
}

func allFigures(d *disk) status.Stats {
	s, io := d.dev.Stats(), d.io.report()
	var all status.Stats
	for _, f := range figures {
		all = append(all, status.Figure{Name: f.name, Value: f.get(&s)})
	}
	for _, f := range ioFigures {
		all = append(all, status.Figure{Name: f.name, Value: f.get(&io)})
	}
	return all
}

func algorithmsInUse(d *disk) (all []status.Algorithm) {
	for _, use := range d.dev.AlgorithmsInUse() {
		a := status.Algorithm{
			Priority: use.Priority, Name: use.Name,
			DictBytes: len(use.Params.Dict), Contexts: use.Contexts, Memory: use.Memory,
		}
		if use.Params.HasLevel {
			a.Level = &use.Params.Level
		}
		if use.Params.HasWinBits {
			a.WinBits = &use.Params.WinBits
		}
		all = append(all, a)
	}
	return all
}

func showStatus(d *disk, b []byte) ([]byte, error) {
	st := d.about()
	st.Stats = allFigures(d)
	st.Disksize, st.Initialised = uint64(d.dev.Size()), d.dev.Initialised()
	st.Algorithm = d.dev.Algorithm()
	st.Algorithms = algorithmsInUse(d)
	if loop := d.loop.Load(); loop != nil {
		path := loop.Path()
		st.Loop = &path
	}
	st.Runtime = runtimeFigures()
	text, err := json.Marshal(st)
	return append(append(b, text...), '\n'), err
}

// showCheck checks the device and says what it found.
func showCheck(d *disk, b []byte) ([]byte, error) {
	r, err := d.dev.Check()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(status.Check{
		Slots: r.Slots, Objects: r.Objects, Zspages: r.Zspages,
		Holds: r.Holds, LongestHoldNS: r.LongestHold.Nanoseconds(),
		Findings: append([]string{}, r.Findings...), More: r.More,
	})
	return append(append(b, text...), '\n'), err
}

// storeControl runs a verb: words separated by white space. free-hint is the
// device's, the others are the daemon's.
func storeControl(d *disk, text string) error {
	words := strings.Fields(text)
	if len(words) > 0 && words[0] == "free-hint" {
		return freeHint(d, words[1:])
	}
	return control(text, d.control)
}

// freeHint takes the index of a page, and how many there are (default 1), of
// which their user says that nobody needs them any more.
func freeHint(d *disk, args []string) error {
	numbers := [2]uint64{0, 1}
	if len(args) < 1 || len(args) > len(numbers) {
		return fmt.Errorf("free-hint takes a page and a count, not %d arguments: %w", len(args), syscall.EINVAL)
	}
	for i, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			return fmt.Errorf("free-hint %.20q is no number: %w", arg, syscall.EINVAL)
		}
		numbers[i] = n
	}
	if !d.dev.Initialised() {
		return store.ErrNotSetUp
	}
	d.dev.FreeHints(numbers[0], numbers[1])
	return nil
}
