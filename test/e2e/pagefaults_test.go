package e2e

import (
	"math"
	"slices"
	"testing"
	"time"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// maxFaults is how many page faults a request may cost on average. It is not quite zero: a thread of the Go runtime that
// gets work for the first time touches its stack, and the pool's stock of pages breathes a little.
const (
	maxFaults = 0.01
	faultRuns = 5
)

// TestPageFaults: once a disk is warm, requests cost no page fault, neither one that waits for a disk (major) nor one for
// memory that is new to the daemon (minor), as it counts them itself. A daemon that serves swap might wait for either until
// it has swapped, that is, for ever.
//
// Whoever writes what compresses better or worse than what was there makes pages of the pool change hands between its size
// classes. Those that it takes anew it has made present by a call, which is counted as a minor fault for each page; so here
// such a load is held to major faults only.
func TestPageFaults(t *testing.T) {
	for _, algorithm := range []string{"lz4", "zstd"} {
		t.Run(algorithm, func(t *testing.T) {
			dev := harness.Mount(t, harness.Options{Disksize: "96M", Algorithm: algorithm})
			if state := guards(t, dev)["mlock"]; state != "active" {
				t.Fatalf("guard mlock is %q", state)
			}
			l := newFaultLoad(t, dev)
			l.fill(harness.Half)
			l.fill(harness.Half) // each page has had another place by now
			for name, load := range map[string]func(){
				"write": func() { l.each(page, 0, unix.Pwrite) },
				"read":  func() { l.each(page, 0, unix.Pread) },
				"part":  func() { l.each(page/2, page/4, unix.Pwrite) },
				"large": func() { l.fill(harness.Half) },
			} {
				load()
				l.wantNone(name, load)
			}
			major := dev.Status().Runtime.MajorFaults
			for _, kind := range []harness.Content{harness.Random, harness.Same, harness.Text, harness.Half} {
				l.fill(kind)
				l.each(page, 0, unix.Pwrite)
			}
			if now := dev.Status().Runtime.MajorFaults; now != major {
				t.Errorf("%d major faults while contents changed", now-major)
			}
		})
	}
}

// faultLoad makes requests to a disk.
type faultLoad struct {
	t    *testing.T
	dev  *harness.Dev
	fd   int
	data []byte // of pages that compress equally well
	most int64  // bytes of the disk that it uses
}

const faultRequests = 8000

func newFaultLoad(t *testing.T, dev *harness.Dev) *faultLoad {
	l := &faultLoad{t, dev, open(t, dev.Image, unix.O_RDWR|unix.O_DIRECT), aligned(t, int(mib)), 64 * mib}
	t.Cleanup(func() { shut(t, l.fd) })
	return l
}

// fill writes all that is used, by large requests.
func (l *faultLoad) fill(kind harness.Content) {
	l.t.Helper()
	for at := 0; at < len(l.data); at += page {
		harness.FillPage(l.data[at:at+page], kind, uint64(at))
	}
	for off := int64(0); off < l.most; off += mib {
		pwrite(l.t, l.fd, l.data, off)
	}
}

// each makes requests of size bytes to parts of pages all over, the first of them past the beginning of a page.
func (l *faultLoad) each(size int, past int64, call func(int, []byte, int64) (int, error)) {
	l.t.Helper()
	p := slices.Clip(l.data[:size])
	for i := range int64(faultRequests) {
		off := i*page*7919%l.most + past
		if n, err := call(l.fd, p, off); err != nil || n != size {
			l.t.Fatalf("%d bytes at %d: %d, %v", size, off, n, err)
		}
	}
}

// wantNone runs a load and fails if there were faults that there would not have been without it: asking alone, after as
// long a time, costs some too.
func (l *faultLoad) wantNone(name string, load func()) {
	l.t.Helper()
	minor := func() int64 { return l.dev.Status().Runtime.MinorFaults }
	major, least := l.dev.Status().Runtime.MajorFaults, math.Inf(1)
	for range faultRuns {
		before, start := minor(), time.Now()
		load()
		after := minor()
		time.Sleep(time.Since(start))
		idle := minor() - after
		each := float64(after-before-idle) / faultRequests
		l.t.Logf("%s: %d faults, %d of an idle daemon", name, after-before, idle)
		if least = min(least, each); least < maxFaults {
			break
		}
	}
	if least >= maxFaults {
		l.t.Errorf("%s: at least %.4f minor faults a request, want less than %g", name, least, maxFaults)
	}
	if now := l.dev.Status().Runtime.MajorFaults; now != major {
		l.t.Errorf("%s: %d major faults", name, now-major)
	}
}
