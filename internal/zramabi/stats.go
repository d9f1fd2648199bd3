package zramabi

import (
	"fmt"
	"strings"
	"syscall"
)

// MMStat is mm_stat. Sizes are in bytes, counts in pages.
type MMStat struct {
	OrigDataSize   uint64
	ComprDataSize  uint64
	MemUsedTotal   uint64
	MemLimit       uint64
	MemUsedMax     uint64
	SamePages      uint64
	PagesCompacted uint64
	HugePages      uint64
	HugePagesSince uint64
}

func (m *MMStat) row() []column {
	return columns(&m.OrigDataSize, &m.ComprDataSize, &m.MemUsedTotal, &m.MemLimit, &m.MemUsedMax,
		&m.SamePages, &m.PagesCompacted, &m.HugePages, &m.HugePagesSince)
}

// Append writes m in the kernel's format to dst.
func (m MMStat) Append(dst []byte) []byte { return appendRow(dst, m.row()) }

// ParseMMStat undoes Append.
func ParseMMStat(text string) (m MMStat, err error) {
	err = parseRow("mm_stat", text, m.row())
	return m, err
}

// IOStat is io_stat.
type IOStat struct {
	FailedReads  uint64 // requests
	FailedWrites uint64 // requests
	InvalidIO    uint64 // requests; always 0 in new kernels, which no longer pad it
	NotifyFree   uint64 // pages
}

func (s *IOStat) row() []column {
	row := columns(&s.FailedReads, &s.FailedWrites, &s.InvalidIO, &s.NotifyFree)
	row[2].constant = true
	return row
}

// Append writes s in the kernel's format to dst.
func (s IOStat) Append(dst []byte) []byte { return appendRow(dst, s.row()) }

// ParseIOStat undoes Append.
func ParseIOStat(text string) (s IOStat, err error) {
	err = parseRow("io_stat", text, s.row())
	return s, err
}

// BDStat is bd_stat: the backing device, in blocks of 4 KiB.
type BDStat struct {
	Used   uint64 // now
	Reads  uint64 // since set-up
	Writes uint64 // since set-up
}

func (s *BDStat) row() []column { return columns(&s.Used, &s.Reads, &s.Writes) }

// Append writes s in the kernel's format to dst.
func (s BDStat) Append(dst []byte) []byte { return appendRow(dst, s.row()) }

// ParseBDStat reads what Append writes. EINVAL: anything else.
func ParseBDStat(text string) (s BDStat, err error) {
	err = parseRow("bd_stat", text, s.row())
	return s, err
}

// DebugStat is debug_stat.
type DebugStat struct {
	WriteStall uint64 // always 0 in new kernels, which no longer pad it
	MissFree   uint64 // free hints given up because the page was busy
}

const debugStatHead = "version: 1\n"

func (s *DebugStat) row() []column {
	row := columns(&s.WriteStall, &s.MissFree)
	row[0].constant = true
	return row
}

// Append writes s in the kernel's format to dst.
func (s DebugStat) Append(dst []byte) []byte {
	return appendRow(append(dst, debugStatHead...), s.row())
}

// ParseDebugStat undoes Append. EINVAL: another version.
func ParseDebugStat(text string) (s DebugStat, err error) {
	rest, ok := strings.CutPrefix(text, debugStatHead)
	if !ok {
		return s, fmt.Errorf("debug_stat %.20q: want version 1: %w", text, syscall.EINVAL)
	}
	err = parseRow("debug_stat", rest, s.row())
	return s, err
}

// IOCount is one kind of request in the block layer's statistics.
type IOCount struct {
	IOs, Merges, Sectors uint64 // sectors of 512 bytes
	Milliseconds         uint64 // that requests took, summed
}

// BlockStat is stat: the block layer's statistics of the disk.
type BlockStat struct {
	Read, Write, Discard IOCount
	InFlight             uint64 // requests now
	Ticks                uint64 // milliseconds with a request in flight
	Weighted             uint64 // milliseconds that all requests took, summed
	FlushIOs, FlushMs    uint64
}

func (s *BlockStat) row() []column {
	r, w, d := &s.Read, &s.Write, &s.Discard
	return columns(
		&r.IOs, &r.Merges, &r.Sectors, &r.Milliseconds,
		&w.IOs, &w.Merges, &w.Sectors, &w.Milliseconds,
		&s.InFlight, &s.Ticks, &s.Weighted,
		&d.IOs, &d.Merges, &d.Sectors, &d.Milliseconds,
		&s.FlushIOs, &s.FlushMs)
}

// Append writes s in the kernel's format to dst.
func (s BlockStat) Append(dst []byte) []byte { return appendRow(dst, s.row()) }

// ParseBlockStat undoes Append.
func ParseBlockStat(text string) (s BlockStat, err error) {
	err = parseRow("stat", text, s.row())
	return s, err
}
