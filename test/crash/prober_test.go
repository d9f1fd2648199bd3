package crash

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"uzram/internal/failpoint"

	"golang.org/x/sys/unix"
)

// prober reads a page of the image over and over, one read after another.
type prober struct {
	since atomic.Int64 // look for the first read that begins after this moment; 0 = not now
	first chan time.Duration
	stop  func()
}

func probe(t *testing.T, path string) *prober {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	buf, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	p := &prober{first: make(chan time.Duration, 1)}
	stop := again(t, func(int) error {
		start := failpoint.Now()
		if n, err := unix.Pread(fd, buf, 0); err != nil || n != page {
			return fmt.Errorf("prober: %d, %w", n, err)
		}
		if since := p.since.Load(); since != 0 && start > since {
			p.since.Store(0)
			p.first <- time.Duration(failpoint.Now() - since)
		}
		return nil
	})
	p.stop = func() {
		stop()
		unix.Munmap(buf)
		unix.Close(fd)
	}
	return p
}

// answered is the time from a moment to the end of the first read that began after it.
func (p *prober) answered(t *testing.T, since time.Duration) time.Duration {
	t.Helper()
	p.since.Store(int64(since))
	select {
	case took := <-p.first:
		return took
	case <-time.After(patience):
		t.Fatalf("nobody answered within %v", patience)
		return 0
	}
}

// times are those of take-overs.
type times []time.Duration

func (l times) String() string {
	if len(l) == 0 {
		return "none"
	}
	slices.Sort(l)
	at := func(percent int) float64 { return float64(l[(len(l)-1)*percent/100].Microseconds()) / 1000 }
	return fmt.Sprintf("%d take-overs, ms: p50 %.2f, p99 %.2f, max %.2f", len(l), at(50), at(99), at(100))
}
