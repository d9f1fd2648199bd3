package store

import (
	"uzram/compress"
	"uzram/internal/snapshot"
)

// snapshotHead is the settings as a snapshot has them, with cfgMu held.
func (d *Device) snapshotHead(program string) snapshot.Head {
	h := snapshot.Head{
		Program:  program,
		Disksize: uint64(d.live.Load().size),
		MemLimit: d.memLimit.Load() * PageSize,
		Wipe:     d.settings.wipe,
		Writeback: snapshot.Writeback{
			Limited:    d.WritebackLimited(),
			Limit:      d.WritebackLimit(),
			Batch:      d.WritebackBatch(),
			Compressed: d.writing.compressed.Load(),
			Pack:       d.writing.pack.Load(),
			Checksum:   d.writing.checksum.Load(),
			Encryption: d.writing.encrypt.Load(),
		},
	}
	if d.backing != nil {
		h.Writeback.BackingDev = d.backing.Path()
	}
	for priority, name := range d.settings.algorithm {
		if name == "" {
			continue
		}
		p := d.settings.params[priority]
		a := snapshot.Algorithm{Priority: priority, Name: name, Dict: p.Dict}
		if p.HasLevel {
			a.Level = &p.Level
		}
		if p.HasWinBits {
			a.WinBits = &p.WinBits
		}
		h.Algorithms = append(h.Algorithms, a)
	}
	return h
}

// paramsOf is what snapshotHead made an algorithm's entry of.
func paramsOf(a snapshot.Algorithm) (p compress.Params) {
	if a.Level != nil {
		p.Level, p.HasLevel = *a.Level, true
	}
	if a.WinBits != nil {
		p.WinBits, p.HasWinBits = *a.WinBits, true
	}
	p.Dict = a.Dict
	return p
}

// usedTotal is a figure for those who look at a snapshot; it is not restored.
const usedTotal = "mem_used_total"

// headFigures fills in what changes, while I/O is held up.
func (l *live) headFigures(h *snapshot.Head) {
	sum := l.total()
	h.Pages = uint64(max(0, sum.orig))
	h.Stats = map[string]uint64{usedTotal: l.pool.Pages() * PageSize}
	for name, f := range l.lasting(&sum) {
		h.Stats[name] = f.get()
	}
	if l.backing != nil {
		h.OnBacking = uint64(max(0, l.backing.used.Load()))
	}
}

// lastingFigure is one that follows from what happened, not from the slots.
type lastingFigure struct {
	get func() uint64
	set func(uint64)
}

// lasting are the figures that outlive the device in a snapshot. What is set of
// those in sum has to be counted by the caller.
func (l *live) lasting(sum *tally) map[string]lastingFigure {
	all := map[string]lastingFigure{
		"mem_used_max": {
			func() uint64 { return l.maxPages.Load() * PageSize },
			func(v uint64) { l.maxPages.Store(v / PageSize) },
		},
		"pages_compacted": {l.compacted.Load, l.compacted.Store},
	}
	for name, n := range map[string]*int64{
		"huge_pages_since": &sum.hugeSince, "notify_free": &sum.notifyFree, "miss_free": &sum.missFree,
		"failed_reads": &sum.failedReads, "failed_writes": &sum.failedWrites,
	} {
		all[name] = lastingFigure{func() uint64 { return uint64(max(0, *n)) }, func(v uint64) { *n = int64(v) }}
	}
	if b := l.backing; b != nil {
		all["backing_reads"] = lastingFigure{b.reads.Load, b.reads.Store}
		all["backing_writes"] = lastingFigure{b.writes.Load, b.writes.Store}
		all["backing_bad"] = lastingFigure{b.bad.Load, b.bad.Store}
	}
	return all
}
