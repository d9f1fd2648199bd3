package main

import (
	"time"

	"uzram/test/bench/internal/fio"
)

// workload is one fio job on every target.
type workload struct {
	name    string // as in a ratio's name
	pattern string // fio's
	block   int    // bytes
	depth   int
}

var workloads = []workload{
	{"rr4k_s1", "randread", 4 << 10, 1},
	{"rw4k_s1", "randwrite", 4 << 10, 1},
	{"rr4k_d16", "randread", 4 << 10, 16},
	{"rw4k_d16", "randwrite", 4 << 10, 16},
	{"sr1m_s1", "read", 1 << 20, 1},
	{"sw1m_s1", "write", 1 << 20, 1},
	{"sr1m_d16", "read", 1 << 20, 16},
	{"sw1m_d16", "write", 1 << 20, 16},
}

// writes says that the workload changes the disk.
func (w workload) writes() bool { return w.pattern == "randwrite" || w.pattern == "write" }

// job is the workload on a disk of size bytes: reads go to its first half, which
// holds the corpus throughout, writes to its second.
func (w workload) job(file string, size int64, runtime time.Duration) fio.Job {
	j := fio.Job{File: file, Pattern: w.pattern, Block: w.block, Depth: w.depth, Size: size / 2, Runtime: runtime}
	if w.writes() {
		j.Offset = size / 2
	}
	return j
}

// unit is what a result is shown in, with its value.
func (w workload) unit() string {
	if w.block == 4<<10 {
		return "kIOPS"
	}
	return "MB/s"
}

func (w workload) speed(r fio.Result) float64 {
	if w.block == 4<<10 {
		return r.IOPS / 1e3
	}
	return r.BytesPerSecond / 1e6
}
