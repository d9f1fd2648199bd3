package fio

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The answers in testdata are fio's, shortened.
func TestParse(t *testing.T) {
	for name, want := range map[string]Result{
		"read.json":  {IOPS: 13574.257426, BytesPerSecond: 55600158, MeanMicros: 72.232274252, P99Micros: 119.296},
		"write.json": {IOPS: 863207.920792, BytesPerSecond: 3535699643, MeanMicros: 0.6588147830000001, P99Micros: 0.908},
	} {
		out, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := parse(out)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for want, out := range map[string]string{
		"no JSON":            "fio: pid=1, err=5",
		"fio's answer":       `{"jobs": [`,
		"0 jobs":             `{"jobs": []}`,
		"error 5":            `{"jobs": [{"error": 5, "read": {"total_ios": 9}}]}`,
		"not a single":       `{"jobs": [{"error": 0, "read": {"total_ios": 0}, "write": {"total_ios": 0}}]}`,
		"2 jobs, want 1":     `{"jobs": [{}, {}]}`,
		"cannot unmarshal s": `{"jobs": [{"error": "none"}]}`,
	} {
		if r, err := parse([]byte(out)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gave %+v, %v; want an error with %q", out, r, err, want)
		}
	}
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(file, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	job := Job{File: file, Pattern: "randwrite", Block: 4096, Depth: 1, Offset: 512 << 10, Size: 512 << 10, Runtime: 50 * time.Millisecond}
	r, err := Run(context.Background(), job)
	if err != nil {
		t.Fatal(err)
	}
	if r.IOPS <= 0 || r.BytesPerSecond <= 0 || r.MeanMicros <= 0 || r.P99Micros <= 0 {
		t.Errorf("result %+v, want all above 0", r)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if nonZero := func(b byte) bool { return b != 0 }; slices.ContainsFunc(data[:512<<10], nonZero) || !slices.ContainsFunc(data[512<<10:], nonZero) {
		t.Error("the job did not keep to its part of the file, or wrote nothing but zeros")
	}

	job.File = filepath.Join(t.TempDir(), "disk")
	if r, err := Run(context.Background(), job); err == nil {
		t.Errorf("a file that is not there gave %+v", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	job.File, job.Runtime = file, time.Minute
	if r, err := Run(ctx, job); err == nil {
		t.Errorf("a run called off gave %+v", r)
	}
}
