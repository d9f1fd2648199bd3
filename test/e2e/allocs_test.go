package e2e

import (
	"math"
	"strings"
	"sync"
	"testing"

	"uzram/test/harness"

	"golang.org/x/sys/unix"
)

// maxAllocs is how many heap objects a request may cost on average, and maxBeside how many a run may have besides: timers and
// the garbage collector of the daemon, and a busy machine's scheduling of its threads, allocate a few. What they do once in a
// while is not in each of five runs.
const (
	maxAllocs = 0.01
	maxBeside = 10
	allocRuns = 5
)

// TestAllocs: the daemon's heap allocations while its image is read and written, counted by the daemon itself. What the
// two readings cost is measured by two readings with nothing between them.
func TestAllocs(t *testing.T) {
	for _, algorithm := range algorithms(t) {
		kinds := []harness.Content{harness.Half}
		if algorithm == "lz4" { // the others treat pages that they cannot compress, or need not, alike
			kinds = append(kinds, harness.Random, harness.Same)
		}
		t.Run(algorithm, func(t *testing.T) {
			dev := harness.Mount(t, harness.Options{Disksize: "256M", Algorithm: algorithm})
			fd := open(t, dev.Image, unix.O_RDWR|unix.O_DIRECT)
			for _, kind := range kinds {
				for _, load := range allocLoads {
					t.Run(load.name+"/"+kind.String(), func(t *testing.T) {
						data := aligned(t, load.size)
						for at := 0; at < len(data); at += page {
							harness.FillPage(data[at:at+page], kind, uint64(at))
						}
						allocsOf(t, dev, load.requests(algorithm), func() { load.run(t, fd, data, load.requests(algorithm)) })
					})
				}
			}
		})
	}
}

// algorithms are those that a mount offers.
func algorithms(t *testing.T) (names []string) {
	for name := range strings.FieldsSeq(harness.Mount(t, harness.Options{}).Get("comp_algorithm")) {
		names = append(names, strings.Trim(name, "[]"))
	}
	return names
}

// allocLoad is a number of equal requests.
type allocLoad struct {
	name  string
	size  int
	count int
	call  func(fd int, p []byte, off int64) (int, error)
}

var allocLoads = []allocLoad{
	{"write 4K", page, 20000, unix.Pwrite},
	{"read 4K", page, 20000, unix.Pread},
	{"write 1M", int(mib), 1000, unix.Pwrite},
	{"read 1M", int(mib), 1000, unix.Pread},
}

// requests returns how many requests to make: fewer large writes where the algorithm is slow.
func (l allocLoad) requests(algorithm string) int {
	if algorithm != "lz4" && l.name == "write 1M" {
		return l.count / 2
	}
	return l.count
}

// run makes the requests from two threads at different ends of the image.
func (l allocLoad) run(t *testing.T, fd int, data []byte, count int) {
	const span = 128 * mib
	var wg sync.WaitGroup
	for half := range int64(2) {
		wg.Go(func() {
			for i := range int64(count / 2) {
				off := half*span + i*int64(l.size)%span
				if n, err := l.call(fd, data, off); err != nil || n != l.size {
					t.Errorf("%s at %d: %d, %v", l.name, off, n, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// allocsOf runs a load and fails if the daemon allocated for its requests.
func allocsOf(t *testing.T, dev *harness.Dev, requests int, load func()) {
	t.Helper()
	least := math.Inf(1)
	for range allocRuns {
		mallocs := func() float64 { return float64(dev.Status().Runtime.Mallocs) }
		mallocs() // the first reading may cost more
		first := mallocs()
		before := mallocs()
		reading := before - first
		load()
		each := (mallocs() - before - reading) / float64(requests)
		t.Logf("%.5f heap objects a request (%d requests; a reading costs %.0f)", each, requests, reading)
		if reading <= 0 {
			t.Fatalf("two readings of the counter differ by %.0f: it does not count", reading)
		}
		if least = min(least, each-maxBeside/float64(requests)); least < maxAllocs {
			return
		}
	}
	t.Errorf("at least %.5f heap objects a request, and %d besides; want less than %g", least, maxBeside, maxAllocs)
}

// aligned returns page-aligned memory, as direct I/O wants it.
func aligned(t *testing.T, n int) []byte {
	t.Helper()
	p, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(p) })
	return p
}
