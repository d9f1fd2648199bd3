package store

import "sync/atomic"

// Stats is every figure of a device, defined in one place. Sizes are in bytes,
// pages are of 4 KiB. Where the kernel shows the figure too, its meaning is
// that of Documentation/admin-guide/blockdev/zram.rst.
type Stats struct {
	Disksize uint64 // size of the disk; 0 before it is set up

	// mm_stat
	OrigDataSize   uint64 // of the pages in use, same-filled ones included
	ComprDataSize  uint64 // of the objects in the pool; a huge one counts a page
	MemUsedTotal   uint64 // of the pool's zspages
	MemLimit       uint64 // 0 = none
	MemUsedMax     uint64 // highest MemUsedTotal seen at a store
	SamePages      uint64 // same-filled pages now
	PagesCompacted uint64 // given back by compaction
	HugePages      uint64 // stored raw now
	HugePagesSince uint64 // stored raw since set-up

	// io_stat
	FailedReads  uint64 // requests
	FailedWrites uint64 // requests
	InvalidIO    uint64 // requests
	NotifyFree   uint64 // pages discarded, in use or not

	// bd_stat
	BackingBlocks uint64 // blocks of 4 KiB that the backing device has
	BackingUsed   uint64 // of them, those in use
	BackingReads  uint64 // blocks read since set-up
	BackingWrites uint64 // blocks written since set-up
	BackingBad    uint64 // blocks read since set-up that were not what was written there

	// debug_stat
	MissFree uint64 // free hints given up because the slot was busy

	// Memory that the kernel does not count either, now.
	Table       uint64 // slots and same-filled elements; settings and counters, where a successor may need them
	PoolMeta    uint64 // descriptors of zspages and frames
	BackingMeta uint64 // tables of the backing device's blocks, buffers of recompression and writeback
	Streams     uint64 // codec contexts and dictionaries
	Reserve     uint64 // pool pages kept warm for requests to come
}

// tally is what one request changed.
type tally struct {
	orig, same, huge, compr int64 // pages, pages, pages, bytes; may fall
	hugeSince               int64
	notifyFree, missFree    int64
	failedReads             int64
	failedWrites            int64
}

// counters is one worker's share of a device's counts, on cache lines of its
// own. A share may be negative; the sums are not.
type counters struct {
	orig, same, huge, compr   atomic.Int64
	hugeSince                 atomic.Int64
	notifyFree, missFree      atomic.Int64
	failedReads, failedWrites atomic.Int64
	_                         [56]byte
}

// pairs match each count with its place in a tally.
func (c *counters) pairs(t *tally) [9]struct {
	count *atomic.Int64
	n     *int64
} {
	return [...]struct {
		count *atomic.Int64
		n     *int64
	}{
		{&c.orig, &t.orig}, {&c.same, &t.same}, {&c.huge, &t.huge}, {&c.compr, &t.compr},
		{&c.hugeSince, &t.hugeSince}, {&c.notifyFree, &t.notifyFree}, {&c.missFree, &t.missFree},
		{&c.failedReads, &t.failedReads}, {&c.failedWrites, &t.failedWrites},
	}
}

// add counts a request's changes, touching only what changed, and clears them.
func (c *counters) add(t *tally) {
	for _, p := range c.pairs(t) {
		if *p.n != 0 {
			p.count.Add(*p.n)
		}
	}
	*t = tally{}
}

// total is the sum of all workers' shares.
func (l *live) total() (sum tally) {
	for i := range l.counters {
		for _, p := range l.counters[i].pairs(&sum) {
			*p.n += p.count.Load()
		}
	}
	return sum
}

// Stats is the device's figures now. Taken during I/O they may miss requests
// that are not yet answered.
func (d *Device) Stats() Stats {
	d.cfgMu.RLock()
	defer d.cfgMu.RUnlock()
	s := Stats{MemLimit: d.memLimit.Load() * PageSize}
	l := d.live.Load()
	if l == nil {
		return s
	}
	sum := l.total()
	s.Disksize = uint64(l.size)
	s.OrigDataSize = uint64(max(0, sum.orig)) * PageSize
	s.ComprDataSize = uint64(max(0, sum.compr))
	s.MemUsedTotal = l.pool.Pages() * PageSize
	s.MemUsedMax = l.maxPages.Load() * PageSize
	s.SamePages = uint64(max(0, sum.same))
	s.PagesCompacted = l.compacted.Load()
	s.HugePages = uint64(max(0, sum.huge))
	s.HugePagesSince = uint64(sum.hugeSince)
	s.FailedReads, s.FailedWrites = uint64(sum.failedReads), uint64(sum.failedWrites)
	s.NotifyFree, s.MissFree = uint64(sum.notifyFree), uint64(sum.missFree)
	if b := l.backing; b != nil {
		s.BackingUsed, s.BackingReads, s.BackingWrites = uint64(max(0, b.used.Load())), b.reads.Load(), b.writes.Load()
		s.BackingBlocks, s.BackingBad = b.blocks, b.bad.Load()
		s.BackingMeta = b.memory()
	}
	s.BackingMeta += l.crew.memory() + l.fetch.memory()
	s.Table = l.table.arena.Resident() + l.elements.arena.Resident() + d.state.memory()
	s.PoolMeta, s.Reserve = l.pool.Overhead()
	for _, use := range d.algorithmsInUse() {
		s.Streams += use.Memory
	}
	return s
}
