package fio

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"time"
)

// What fio writes is pages of random bytes and zeros that alternate within each
// chunk, every page different. fio cannot write pages of a file; this mix was
// chosen because a kernel zram with lz4 stores it at nearly the corpus's ratio
// and speed. Larger chunks compress two to four times as fast, and without any
// the pages of a large block would be all random first and then all zero.
const (
	compressPercentage = 70
	compressChunk      = 32 // bytes
)

// grace is what fio may need beyond the run time, to start and to report.
const grace = 20 * time.Second

// Job is one measurement: a single process on one file, past the page cache.
type Job struct {
	File         string
	Pattern      string // randread, randwrite, read, write
	Block        int    // bytes of a request
	Depth        int    // requests in flight; 1 is by psync, more by libaio
	Offset, Size int64  // bytes: the part of the file that is used
	Runtime      time.Duration
}

// Result is what a job reached.
type Result struct {
	IOPS           float64
	BytesPerSecond float64
	MeanMicros     float64 // of a request, from submission to completion
	P99Micros      float64 // of completion
}

// args is the job as fio's command line.
func (j Job) args() []string {
	engine := "psync"
	if j.Depth > 1 {
		engine = "libaio"
	}
	return []string{
		"--name=bench", "--output-format=json", "--thread",
		"--filename=" + j.File, "--allow_file_create=0",
		"--rw=" + j.Pattern,
		"--bs=" + strconv.Itoa(j.Block),
		"--ioengine=" + engine,
		"--iodepth=" + strconv.Itoa(j.Depth),
		"--direct=1", "--norandommap", "--randrepeat=1",
		"--offset=" + strconv.FormatInt(j.Offset, 10),
		"--size=" + strconv.FormatInt(j.Size, 10),
		"--time_based", "--runtime=" + strconv.FormatInt(j.Runtime.Milliseconds(), 10) + "ms",
		"--buffer_compress_percentage=" + strconv.Itoa(compressPercentage),
		"--buffer_compress_chunk=" + strconv.Itoa(compressChunk),
	}
}

// Run runs the job. A fio that does not end in time, because the file behind it
// hangs, is killed and left to itself.
func Run(ctx context.Context, j Job) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, j.Runtime+grace)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command("fio", j.args()...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		return Result{}, err
	}
	// Not CommandContext: Wait would hang as long as fio does, and one that
	// waits inside the kernel dies only when the file system behind it does.
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return Result{}, fmt.Errorf("fio %s of %s: %w: %s", j.Pattern, j.File, err, bytes.TrimSpace(stderr.Bytes()))
		}
		return parse(stdout.Bytes())
	case <-ctx.Done():
		_ = cmd.Process.Kill()
		select {
		case <-ended:
		case <-time.After(time.Second):
		}
		return Result{}, fmt.Errorf("fio %s of %s did not end: %w", j.Pattern, j.File, ctx.Err())
	}
}

// direction is a job's reads or its writes.
type direction struct {
	IOs      uint64  `json:"total_ios"`
	IOPS     float64 `json:"iops"`
	BwBytes  float64 `json:"bw_bytes"`
	Latency  latency `json:"lat_ns"`
	Complete latency `json:"clat_ns"`
}

type latency struct {
	Mean       float64            `json:"mean"`
	Percentile map[string]float64 `json:"percentile"`
}

// parse reads fio's answer. Warnings may stand before the JSON object.
func parse(out []byte) (Result, error) {
	at := bytes.IndexByte(out, '{')
	if at < 0 {
		return Result{}, fmt.Errorf("fio answered no JSON: %.200q", out)
	}
	var answer struct {
		Jobs []struct {
			Error int       `json:"error"`
			Read  direction `json:"read"`
			Write direction `json:"write"`
		} `json:"jobs"`
	}
	if err := json.NewDecoder(bytes.NewReader(out[at:])).Decode(&answer); err != nil {
		return Result{}, fmt.Errorf("fio's answer: %w", err)
	}
	if len(answer.Jobs) != 1 {
		return Result{}, fmt.Errorf("fio reports %d jobs, want 1", len(answer.Jobs))
	}
	job := answer.Jobs[0]
	if job.Error != 0 {
		return Result{}, fmt.Errorf("fio reports error %d", job.Error)
	}
	d := job.Read
	if d.IOs == 0 {
		d = job.Write
	}
	if d.IOs == 0 {
		return Result{}, fmt.Errorf("fio reports not a single request")
	}
	return Result{
		IOPS:           d.IOPS,
		BytesPerSecond: d.BwBytes,
		MeanMicros:     d.Latency.Mean / 1e3,
		P99Micros:      d.Complete.Percentile["99.000000"] / 1e3,
	}, nil
}
