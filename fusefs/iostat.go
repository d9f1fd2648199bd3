package fusefs

import (
	"sync"
	"sync/atomic"
	"time"

	"uzram/internal/zramabi"
)

// ioKind is a kind of image request that the block layer's statistics count.
type ioKind int

const (
	ioRead ioKind = iota
	ioWrite
	ioFlush
	ioKinds
)

// ioStats counts the image's requests for the file stat. Each worker adds to a
// share of its own, on its own cache lines; a reader sums them. Discards are not
// counted, as in the kernel. Counts outlive the process.
type ioStats struct {
	shares []ioShare
	busy   *busyTime

	baseMu sync.Mutex
	base   *ioSum // the sums at the last clear, guarded by baseMu
}

type ioShare struct {
	running atomic.Int64 // kind of the request in work, and 1; 0 = none
	kinds   [ioKinds]struct{ ios, bytes, nanos atomic.Uint64 }
	_       [128 - 80]byte
}

// busyTime is how long at least one request was in work, in milliseconds: each
// request adds, when it ends, what no other has counted before. Its cache line
// is written when a millisecond begins and not per request.
type busyTime struct {
	_     [64]byte
	stamp atomic.Int64 // end of what is counted
	total atomic.Int64
	_     [48]byte
}

type ioSum struct {
	kinds [ioKinds]struct{ ios, bytes, nanos uint64 }
	busy  uint64 // milliseconds
}

// ioStatsIn are the counts in a device's record, for a crew that had n at most so
// far.
func ioStatsIn(r *deviceRecord, n uint64) *ioStats {
	shares := r.shares[:n]
	for i := range shares {
		shares[i].running.Store(0)
	}
	r.busy.stamp.Store(0) // of another process's clock
	return &ioStats{shares: shares, busy: &r.busy, base: &r.base}
}

var processStart = time.Now()

// now is a monotonic clock in nanoseconds, never 0.
func now() int64 { return int64(time.Since(processStart)) + 1 }

// begin notes that worker i starts on a request.
func (s *ioStats) begin(i int, kind ioKind) (start int64) {
	s.shares[i].running.Store(int64(kind) + 1)
	return now()
}

// end counts the request that worker i began at start, with n bytes moved.
func (s *ioStats) end(i int, kind ioKind, n int, start int64) {
	end := now()
	sh := &s.shares[i]
	k := &sh.kinds[kind]
	k.ios.Add(1)
	k.bytes.Add(uint64(n))
	k.nanos.Add(uint64(end - start))
	sh.running.Store(0)
	s.busy.add(start/1e6, end/1e6)
}

// drop forgets the request of worker i: a block layer would not have let one
// past the end come this far.
func (s *ioStats) drop(i int) { s.shares[i].running.Store(0) }

func (b *busyTime) add(start, end int64) {
	stamp := b.stamp.Load()
	if end > stamp && b.stamp.CompareAndSwap(stamp, end) {
		if d := end - max(stamp, start); d > 0 {
			b.total.Add(d)
		}
	}
}

func (s *ioStats) sum() (t ioSum) {
	for i := range s.shares {
		for k := range t.kinds {
			from, to := &s.shares[i].kinds[k], &t.kinds[k]
			to.ios += from.ios.Load()
			to.bytes += from.bytes.Load()
			to.nanos += from.nanos.Load()
		}
	}
	t.busy = uint64(s.busy.total.Load())
	return t
}

// clear makes all counts start from zero. The workers' shares stay as they are,
// since only their owners write them.
func (s *ioStats) clear() {
	s.baseMu.Lock()
	defer s.baseMu.Unlock()
	*s.base = s.sum()
}

// report is the counts since the last clear.
func (s *ioStats) report() zramabi.BlockStat {
	s.baseMu.Lock()
	defer s.baseMu.Unlock()
	var count [ioKinds]zramabi.IOCount
	var nanos uint64
	t := s.sum()
	for k := range count {
		now, base := &t.kinds[k], &s.base.kinds[k]
		count[k] = zramabi.IOCount{
			IOs:          now.ios - base.ios,
			Sectors:      (now.bytes - base.bytes) / 512,
			Milliseconds: (now.nanos - base.nanos) / 1e6,
		}
		nanos += now.nanos - base.nanos
	}
	reads, writes := s.inFlight()
	return zramabi.BlockStat{
		Read:     count[ioRead],
		Write:    count[ioWrite],
		InFlight: reads + writes,
		Ticks:    t.busy - s.base.busy,
		Weighted: nanos / 1e6,
		FlushIOs: count[ioFlush].IOs,
		FlushMs:  count[ioFlush].Milliseconds,
	}
}

// inFlight is how many requests are in work. A flush counts as a write.
func (s *ioStats) inFlight() (reads, writes uint64) {
	for i := range s.shares {
		switch s.shares[i].running.Load() {
		case 0:
		case int64(ioRead) + 1:
			reads++
		default:
			writes++
		}
	}
	return reads, writes
}
