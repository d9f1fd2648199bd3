package harness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// HogOrders say what the swap hog does: fill its memory with pages that are half random, look at every page in order and
// at as many in random order, and in each further round write every page anew and look again.
type HogOrders struct {
	Bytes  int64
	Rounds int
	Seed   uint64
	Cgroup string // directory of the control group it goes into
}

// hogReport is one line of the hog's report.
type hogReport struct {
	Round int
	Phase string
	Pages int
	Took  time.Duration
}

func init() { Role("hog", hog) }

// Hog runs the hog to its end. The test fails if it finds a single page that is not as it was written.
func Hog(t testing.TB, o HogOrders, limit time.Duration) {
	t.Helper()
	orders, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	p := StartRole(t, "hog", string(orders))
	dec := json.NewDecoder(p.Stdout)
	if err := p.Stdout.limit(limit); err != nil {
		t.Fatal(err)
	}
	pages := 0
	for {
		var r hogReport
		if err := dec.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("hog: %v", err)
		}
		pages += r.Pages
		mib := float64(r.Pages) * PageSize / (1 << 20)
		t.Logf("hog: round %d: %s: %.0f MiB, %.0f MiB/s", r.Round, r.Phase, mib, mib/r.Took.Seconds())
	}
	if code, stderr := p.Wait(t, undoTimeout); code != 0 {
		t.Fatalf("hog: status %d: %s", code, stderr)
	}
	if want := int(o.Bytes/PageSize) * 3 * o.Rounds; pages != want {
		t.Fatalf("hog: handled %d pages, want %d", pages, want)
	}
}

func hog(in io.Reader, out io.Writer) error {
	var o HogOrders
	if err := json.NewDecoder(in).Decode(&o); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(o.Cgroup, "cgroup.procs"), []byte(strconv.Itoa(os.Getpid())), 0); err != nil {
		return err
	}
	mem, err := unix.Mmap(-1, 0, int(o.Bytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	h := &hogMemory{mem: mem, seed: o.Seed}
	report := json.NewEncoder(out)
	for h.round = range o.Rounds {
		for _, phase := range []struct {
			name string
			do   func() error
		}{{"write", h.write}, {"verify in order", h.inOrder}, {"verify at random", h.atRandom}} {
			start := time.Now()
			if err := phase.do(); err != nil {
				return fmt.Errorf("round %d (seed %d): %s: %w", h.round, o.Seed, phase.name, err)
			}
			if err := report.Encode(hogReport{h.round, phase.name, h.pages(), time.Since(start)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// hogMemory is what the hog holds. Each page's content follows from its number, the round and the seed.
type hogMemory struct {
	mem   []byte
	seed  uint64
	round int
	want  [PageSize]byte
}

func (h *hogMemory) pages() int { return len(h.mem) / PageSize }

func (h *hogMemory) page(i int) []byte { return h.mem[i*PageSize : (i+1)*PageSize] }

func (h *hogMemory) pageSeed(i int) uint64 {
	return h.seed ^ uint64(h.round)<<48 ^ uint64(i)
}

func (h *hogMemory) write() error {
	for i := range h.pages() {
		FillPage(h.page(i), Half, h.pageSeed(i))
	}
	return nil
}

func (h *hogMemory) verify(i int) error {
	FillPage(h.want[:], Half, h.pageSeed(i))
	if !bytes.Equal(h.page(i), h.want[:]) {
		return fmt.Errorf("page %d is not what was written", i)
	}
	return nil
}

func (h *hogMemory) inOrder() error {
	for i := range h.pages() {
		if err := h.verify(i); err != nil {
			return err
		}
	}
	return nil
}

func (h *hogMemory) atRandom() error {
	r := rand.New(rand.NewPCG(h.seed, uint64(h.round)))
	for _, i := range r.Perm(h.pages()) {
		if err := h.verify(i); err != nil {
			return err
		}
	}
	return nil
}
